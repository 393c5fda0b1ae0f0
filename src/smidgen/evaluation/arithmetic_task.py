"""Scoring equations: a choice of four as in ArithMark, and the answer written out greedily."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import cast

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import Interrupted
from smidgen.evaluation.multiple_choice import Precision, score_choices
from smidgen.evaluation.score import Score, accuracy
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.arithmetic_written import EXACT_MATCH
from smidgen.evaluation.tasks.item import Choice, Completion, Task
from smidgen.generation.decoding import greedy_batch
from smidgen.generation.threads import single_thread


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


def score_written(
    model: OpenModel,
    task: Task,
    *,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> TaskOutcome:
    """``exact_match`` of equations that the model completes by itself, in all and by group.

    2,500 items of ArithMark 2 take a model of 2.7M parameters 8 s of one core. Raises ``Interrupted`` when asked to
    stop.
    """
    items = cast(Sequence[Completion], task.items)
    answers = [item.continuation.strip() for item in items]
    lines = [""] * len(items)
    scored = 0
    # The longest answer decides how far all that are written together go.
    for places in _places_by_length(answers):
        if stop_requested():
            raise Interrupted("scoring was stopped; repeat the command to score again")
        found = written_lines(model, [items[place].context for place in places], [answers[place] for place in places])
        for place, line in zip(places, found, strict=True):
            lines[place] = line
        scored += len(places)
        on_progress(scored)
    matches = [int(line == answer) for line, answer in zip(lines, answers, strict=True)]
    parts = [
        task.name,
        *(f"{task.name}/{group}" for group in dict.fromkeys(g for item in items for g in item.groups)),
    ]
    return TaskOutcome(
        scores={part: {EXACT_MATCH: _score(task, part, matches)} for part in parts},
        baselines={task.name: task.baselines},
        items=[
            {
                "task": task.name,
                "item": item.key,
                "groups": list(item.groups),
                "answer": answer,
                "written": line,
                EXACT_MATCH: match,
            }
            for item, answer, line, match in zip(items, answers, lines, matches, strict=True)
        ],
    )


def exact_matches(model: OpenModel, items: Sequence[Choice]) -> list[int]:
    """1 for each item whose right ending the model writes by itself, alone on the rest of its line."""
    answers = [item.texts[item.labels[0]] for item in items]
    lines = written_lines(model, [item.contexts[0] for item in items], answers)
    return [int(line == answer) for line, answer in zip(lines, answers, strict=True)]


def written_lines(model: OpenModel, contexts: Sequence[str], answers: Sequence[str]) -> list[str]:
    """The rest of the line that the model writes after each context, as far as the longest of the answers goes."""
    with single_thread():
        written = greedy_batch(
            model.decoder,
            [model.tokenizer.encode(context) for context in contexts],
            # A token covers at least a byte: the blank before the longest answer, the answer, and the line's end.
            max_new_tokens=max(len(answer.encode()) for answer in answers) + 2,
            stop_ids={model.tokenizer.end_of_text_id},
        )
    return [model.tokenizer.decode(ids).split("\n")[0].strip() for ids in written]


def _places_by_length(answers: Sequence[str]) -> list[list[int]]:
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, answer in enumerate(answers):
        places[len(answer)].append(place)
    return list(places.values())


def _score(task: Task, part: str, matches: Sequence[int]) -> Score:
    """Of the task as a whole, or of the items in the group of ``task/group``."""
    group = part.removeprefix(task.name).removeprefix("/")
    return accuracy(
        [match for item, match in zip(task.items, matches, strict=True) if not group or group in item.groups]
    )
