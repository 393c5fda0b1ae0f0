"""Scoring the ArithMark tasks, official and generated: a choice of four, and the answer written out greedily."""

from collections.abc import Callable, Sequence
from typing import cast

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.multiple_choice import Precision, score_choices
from smidgen.evaluation.score import Score, accuracy
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.item import Choice, Task
from smidgen.generation.decoding import greedy_batch

EXACT_MATCH = "exact_match"


def score_arithmark(
    model: OpenModel,
    task: Task,
    *,
    precision: Precision = "exact",
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> TaskOutcome:
    """Multiple choice, and for equations ``exact_match`` as well, each in all and by group.

    ``exact_match`` compares the first line of what the model writes after "=" with the right number. The results of
    word problems (ArithMark 3) can be put in many ways and are not compared. Raises as ``score_choices`` does.
    """
    outcome = score_choices(model, task, precision=precision, stop_requested=stop_requested, on_progress=on_progress)
    items = cast(Sequence[Choice], task.items)
    if not all(item.contexts[0].endswith("=") for item in items):
        return outcome
    matches = exact_matches(model, items)
    for record, match in zip(outcome.items, matches, strict=True):
        record[EXACT_MATCH] = match
    for part, metrics in outcome.scores.items():
        metrics[EXACT_MATCH] = _score(task, part, matches)
    return outcome


def exact_matches(model: OpenModel, items: Sequence[Choice]) -> list[int]:
    """1 for each item whose right ending the model writes by itself, alone on the rest of its line."""
    answers = [item.texts[item.labels[0]] for item in items]
    written = greedy_batch(
        model.decoder,
        [model.tokenizer.encode(item.contexts[0]) for item in items],
        # A token covers at least a byte: the blank before the longest answer, the answer, and the end of the line.
        max_new_tokens=max(len(answer.encode()) for answer in answers) + 2,
        stop_ids={model.tokenizer.end_of_text_id},
    )
    lines = [model.tokenizer.decode(ids).split("\n")[0].strip() for ids in written]
    return [int(line == answer) for line, answer in zip(lines, answers, strict=True)]


def _score(task: Task, part: str, matches: Sequence[int]) -> Score:
    """Of the task as a whole, or of the items in the group of ``task/group``."""
    group = part.removeprefix(task.name).removeprefix("/")
    return accuracy(
        [match for item, match in zip(task.items, matches, strict=True) if not group or group in item.groups]
    )
