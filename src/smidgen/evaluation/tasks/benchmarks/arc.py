"""ARC: science questions of school exams, easy and challenging."""

from smidgen.evaluation.tasks.benchmark import NORMALISED, Benchmark, question
from smidgen.evaluation.tasks.item import Choice
from smidgen.evaluation.tasks.row import Row, place


def to_item(row: Row, number: int) -> Choice:
    choices = row.record("choices")
    label = place(row.text("answerKey"), choices.texts("label"))
    return question(number, f"Question: {row.text('question')}\nAnswer:", choices.texts("text"), label)


def _arc(name: str, config: str) -> Benchmark:
    return Benchmark(
        name=name,
        title=config,
        dataset="allenai/ai2_arc",
        configs=(config,),
        split="test",
        files=(f"{name}/test",),
        to_item=to_item,
        metrics=NORMALISED,
        licence="CC-BY-SA-4.0",
        paper="https://arxiv.org/abs/1803.05457",
    )


ARC_EASY = _arc("arc_easy", "ARC-Easy")
ARC_CHALLENGE = _arc("arc_challenge", "ARC-Challenge")
