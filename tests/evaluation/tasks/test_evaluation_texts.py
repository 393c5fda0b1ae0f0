"""What benchmarks ask, as text: the question with its right answer, without the prompt."""

import json

import pytest

from smidgen.data.quality.contamination import ContaminationIndex
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.catalogue import BENCHMARKS
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.evaluation_texts import evaluation_texts, tasks_with_texts

CHOICES = {"label": ["A", "B", "C", "D", "E"], "text": ["red", "blue", "green", "grey", "white"]}
# A document of each benchmark, and the texts that training must not hold.
DOCUMENTS = {
    "hellaswag": (
        {
            "activity_label": "Roof",
            "ctx_a": "A man sits.",
            "ctx_b": "he",
            "endings": ["runs.", "sings.", "eats.", "x."],
        }
        | {"label": "1"},
        ["Roof: A man sits. He sings."],
    ),
    "arc_easy": ({"question": "Which?", "choices": CHOICES, "answerKey": "C"}, ["Which? green"]),
    "arc_challenge": ({"question": "Which?", "choices": CHOICES, "answerKey": "A"}, ["Which? red"]),
    "piqa": ({"goal": "How?", "sol1": "So.", "sol2": "Thus.", "label": 1}, ["How? Thus."]),
    "lambada_openai": ({"text": "He opened the door"}, ["He opened the door"]),
    "boolq": (
        {"passage": "The sky is blue.", "question": "is it blue", "label": 1},
        ["The sky is blue.", "is it blue"],
    ),
    "copa": (
        {"premise": "It rained.", "question": "effect", "choice1": "He left.", "choice2": "He sang.", "label": 0},
        ["It rained therefore  he left."],
    ),
    "winogrande": (
        {"sentence": "Ann met Eve so _ smiled.", "option1": "Ann", "option2": "Eve", "answer": "2"},
        ["Ann met Eve so Eve smiled."],
    ),
    "truthfulqa_mc2": (
        {"question": "Why?", "mc2_targets": {"choices": ["This.", "That.", "No."], "labels": [1, 1, 0]}},
        ["Why? This.", "Why? That."],
    ),
    "openbookqa": ({"question_stem": "Frogs are", "choices": CHOICES, "answerKey": "B"}, ["Frogs are blue"]),
    "swag": (
        {"startphrase": "He", "ending0": "a", "ending1": "b", "ending2": "c", "ending3": "d", "label": 2},
        ["He c"],
    ),
    "mmlu": (
        {"question": "What?", "subject": "anatomy", "choices": ["bone", "skin", "hair", "nail"], "answer": 2},
        ["What? hair"],
    ),
    "race": (
        {
            "article": "Long ago.",
            "problems": str(
                [
                    {"question": "When?", "answer": "A", "options": ["ago", "now", "then", "soon"]},
                    {"question": "Who?", "answer": "D", "options": ["Al", "Bo", "Cy", "Di"]},
                ]
            ),
        },
        ["Long ago.", "Who? Di"],
    ),
    "sciq": (
        {"support": "Ice is water.", "question": "What?", "distractor1": "a", "distractor2": "b", "distractor3": "c"}
        | {"correct_answer": "water"},
        ["Ice is water.", "What? water"],
    ),
    "commonsense_qa": ({"question": "Where?", "choices": CHOICES, "answerKey": "E"}, ["Where? white"]),
    "wikitext": ({"page": " = Title = \n One . \n Two . "}, [" = Title = ", " One . ", " Two . "]),
}


def write(folder, place, rows):
    path = folder / f"{place}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_benchmark_gives_what_it_asks(name, tmp_path):
    document, expected = DOCUMENTS[name]
    write(tmp_path, BENCHMARKS[name].files[0].format(config="SET"), [document, document])
    texts = list(evaluation_texts([name], EvalData(tmp_path)))
    assert [text.text for text in texts] == expected * 2
    assert {text.task for text in texts} == {name}
    assert len({text.item for text in texts}) == 2


def test_every_benchmark_has_been_thought_of():
    assert {*DOCUMENTS, "blimp"} == {*BENCHMARKS}


def test_both_sentences_of_a_minimal_pair_belong_to_the_item(tmp_path):
    for config in BENCHMARKS["blimp"].configs:
        row = {"sentence_good": f"Good {config}.", "sentence_bad": f"Bad {config}.", "UID": config}
        write(tmp_path, f"blimp/{config}", [row | {"linguistics_term": "island_effects"}])
    texts = list(evaluation_texts(["blimp"], EvalData(tmp_path)))
    assert len(texts) == 134
    assert (texts[0].item, texts[0].text) == ("adjunct_island/0", "Good adjunct_island.")
    assert (texts[1].item, texts[1].text) == ("adjunct_island/0", "Bad adjunct_island.")


def test_generated_equations_are_known_by_their_expression():
    texts = list(evaluation_texts(["arithmark2-generated"], EvalData(None)))
    index = ContaminationIndex.of(texts)
    assert index.coverage["arithmark2-generated"].testable == index.coverage["arithmark2-generated"].items > 900
    spaced = texts[5].text.replace(" ", "")
    assert [*index.hits([spaced])[0]] == ["arithmark2-generated"]


def test_a_task_of_ones_own(tmp_path):
    write(tmp_path, "capitals", [{"question": "Capital of Peru?", "options": ["Lima", "Cusco"], "answer": "Lima"}])
    (tmp_path / "capitals.toml").write_text(
        'name = "capitals"\nfile = "capitals.jsonl"\ncontext = "{question}"\nendings = "options"\nlabel = "answer"\n'
    )
    name = str(tmp_path / "capitals.toml")
    found, skipped = tasks_with_texts([name], EvalData(None))
    assert (found, skipped) == ([name], {})
    [text] = evaluation_texts(found, EvalData(None))
    assert (text.task, text.text) == ("capitals", "Capital of Peru? Lima")


def test_tasks_without_their_files_are_left_out_with_the_reason(tmp_path):
    write(tmp_path, "piqa/validation", [DOCUMENTS["piqa"][0]])
    found, skipped = tasks_with_texts(["gpt-s", "bits-per-byte"][:1], EvalData(tmp_path))
    assert found == ["piqa"]
    assert {*skipped} == {"hellaswag", "arc_easy", "arithmark2", "blimp"}
    assert skipped["hellaswag"].startswith("needs hellaswag/validation.jsonl")
    assert "arithmark_2.0.jsonl" in skipped["arithmark2"]


def test_bad_input_is_one_sentence(tmp_path):
    with pytest.raises(BadInput, match=r"there is no task or suite 'helaswag'; did you mean hellaswag\?"):
        tasks_with_texts(["helaswag"], EvalData(tmp_path))
    with pytest.raises(BadInput, match=r"no task can be compared with the text: piqa needs piqa/validation\.jsonl"):
        tasks_with_texts(["piqa"], EvalData(tmp_path))
    with pytest.raises(BadInput, match="no task can be compared with the text: none is named"):
        tasks_with_texts([], EvalData(tmp_path))
    write(tmp_path, "piqa/validation", [{"goal": "How?"}])
    with pytest.raises(BadInput, match=r"validation.jsonl, line 1 is no PIQA document: .*sol1"):
        list(evaluation_texts(["piqa"], EvalData(tmp_path)))
