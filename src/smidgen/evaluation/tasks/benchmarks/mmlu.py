"""MMLU: exam questions of 57 subjects in four categories, the letter scored."""

from smidgen.evaluation.tasks.benchmark import PLAIN, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.letters import lettered
from smidgen.evaluation.tasks.row import Row

LETTERS = "ABCD"
# As the harness groups them (lm_eval/tasks/mmlu/default).
SUBJECTS = {
    "stem": (
        "abstract_algebra anatomy astronomy college_biology college_chemistry college_computer_science "
        "college_mathematics college_physics computer_security conceptual_physics electrical_engineering "
        "elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science "
        "high_school_mathematics high_school_physics high_school_statistics machine_learning"
    ),
    "other": (
        "business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing "
        "medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology"
    ),
    "social_sciences": (
        "econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics "
        "high_school_microeconomics high_school_psychology human_sexuality professional_psychology public_relations "
        "security_studies sociology us_foreign_policy"
    ),
    "humanities": (
        "formal_logic high_school_european_history high_school_us_history high_school_world_history "
        "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory "
        "professional_law world_religions"
    ),
}
CATEGORIES = {subject: category for category, subjects in SUBJECTS.items() for subject in subjects.split()}


def to_item(row: Row, number: int) -> Choice:
    subject = row.text("subject")
    if subject not in CATEGORIES:
        raise ValueError(f"the subject is {subject!r}, none of MMLU's {len(CATEGORIES)}")
    asked = lettered(row.text("question"), row.texts("choices"), LETTERS)
    topic = subject.replace("_", " ")
    context = f"The following are multiple choice questions (with answers) about {topic}.\n\n{asked}"
    groups = (CATEGORIES[subject], subject)
    return question(number, context, tuple(LETTERS), row.number("answer"), groups=groups)


MMLU = Benchmark(
    name="mmlu",
    title="MMLU",
    dataset="cais/mmlu",
    # The harness loads the subjects one by one; "all" holds the same documents in one file.
    configs=("all",),
    split="test",
    files=("mmlu/test",),
    to_item=to_item,
    metrics=PLAIN,
    licence="MIT",
    paper="https://arxiv.org/abs/2009.03300",
)
