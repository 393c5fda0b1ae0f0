"""Scoring a task of choices: the endings' log-probabilities, and who is right by each metric."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from smidgen.checkpoints.open_model import OpenModel
from smidgen.evaluation.choice import Lengths, credit, mass
from smidgen.evaluation.decided import Contest, decide
from smidgen.evaluation.log_likelihood import Likelihood, log_likelihoods
from smidgen.evaluation.pair_encoding import PairNotes, encode_pairs
from smidgen.evaluation.refusal import refuse_nan
from smidgen.evaluation.request import Request
from smidgen.evaluation.score import Score, accuracy
from smidgen.evaluation.task import TaskOutcome
from smidgen.evaluation.tasks.item import Choice, Task

Precision = Literal["exact", "fast"]
# What is kept of a log-probability: beyond it float32 is noise.
DECIMALS = 6


def score_choices(
    model: OpenModel,
    task: Task,
    *,
    precision: Precision = "exact",
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda scored: None,
) -> TaskOutcome:
    """Score every item by each of the task's metrics, in all and by group.

    ``exact`` computes in float32 what lm-evaluation-harness computes; ``fast`` makes the same choices from int8 and
    bfloat16 where these are enough. Raises ``CheckFailed`` for a model that returns NaN, ``Interrupted`` when asked
    to stop.
    """
    items = cast(Sequence[Choice], task.items)
    requests, notes = encode_pairs(
        model.tokenizer, [pair for item in items for pair in item.pairs()], jointly=task.jointly
    )
    places = _places(items)
    lengths = [_lengths(item, requests, place) for item, place in zip(items, places, strict=True)]
    contests = [
        Contest(
            requests=place,
            divisors=tuple(tuple(each.divisors(metric, token_mean=task.token_mean)) for metric in task.metrics),
        )
        for place, each in zip(places, lengths, strict=True)
    ]
    common = {"max_length": model.max_length, "stop_requested": stop_requested, "on_progress": on_progress}
    # A share of probability is no choice: only exact sums will do.
    if precision == "fast" and not task.probability_mass:
        decision = decide(model.decoder, requests, contests, **common)  # type: ignore[arg-type]
        likelihoods = decision.likelihoods
        settings = {"items_by_precision": decision.items, "error_nats": decision.error_nats}
    else:
        likelihoods = log_likelihoods(model.decoder, requests, **common)  # type: ignore[arg-type]
        settings = {}
    refuse_nan(task.name, [likelihood.log_probability for likelihood in likelihoods])
    answers = [
        _answer(task, item, contest, each, [likelihoods[index] for index in contest.requests])
        for item, contest, each in zip(items, contests, lengths, strict=True)
    ]
    return TaskOutcome(
        scores=_scores(task, items, answers),
        baselines={task.name: task.baselines},
        items=[answer.record for answer in answers],
        warnings=_warnings(task.name, notes),
        settings={task.name: settings} if settings else {},
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    record: dict[str, Any]
    tied: frozenset[str]


def _places(items: Sequence[Choice]) -> list[range]:
    places, start = [], 0
    for item in items:
        places.append(range(start, start + len(item.endings)))
        start += len(item.endings)
    return places


def _lengths(item: Choice, requests: Sequence[Request], place: range) -> Lengths:
    return Lengths(
        characters=tuple(len(text) for text in item.texts),
        text_bytes=tuple(len(text.encode()) for text in item.texts),
        tokens=tuple(len(requests[index].continuation) for index in place),
    )


def _answer(task: Task, item: Choice, contest: Contest, lengths: Lengths, likelihoods: list[Likelihood]) -> _Answer:
    sums = [likelihood.log_probability for likelihood in likelihoods]
    credits, tied, choice = {}, set(), 0
    for metric, divisors in zip(task.metrics, contest.divisors, strict=True):
        scores = [value / divisor for value, divisor in zip(sums, divisors, strict=True)]
        credits[metric], is_tie = credit(scores, item.labels)
        if is_tie:
            tied.add(metric)
        if metric == task.metrics[0]:
            choice = scores.index(max(scores))
    if task.probability_mass:
        credits[task.metrics[0]] = mass(sums, item.labels)
    record = {
        "task": task.name,
        "item": item.key,
        "groups": list(item.groups),
        "labels": list(item.labels),
        "choice": choice,
        "log_probabilities": [round(value, DECIMALS) for value in sums],
        "characters": list(lengths.characters),
        "bytes": list(lengths.text_bytes),
        "truncated": int(any(likelihood.truncated for likelihood in likelihoods)),
        **credits,
    }
    if task.token_mean:
        record["tokens"] = list(lengths.tokens)
    return _Answer(record, frozenset(tied))


def _scores(task: Task, items: Sequence[Choice], answers: Sequence[_Answer]) -> dict[str, dict[str, Score]]:
    parts: dict[str, list[_Answer]] = {task.name: list(answers)}
    for item, answer in zip(items, answers, strict=True):
        for group in item.groups:
            parts.setdefault(f"{task.name}/{group}", []).append(answer)
    return {name: {metric: _score(metric, mine) for metric in task.metrics} for name, mine in parts.items()}


def _score(metric: str, answers: Sequence[_Answer]) -> Score:
    return accuracy(
        [answer.record[metric] for answer in answers],
        ties=sum(metric in answer.tied for answer in answers),
        truncated=sum(answer.record["truncated"] for answer in answers),
        # Groups that lie in groups are what the harness scores as tasks of their own.
        strata=[groups[-1] if len(groups := answer.record["groups"]) > 1 else "" for answer in answers],
    )


def _warnings(task: str, notes: PairNotes) -> list[str]:
    if not notes.spanned:
        return []
    return [
        f"{task}: {notes.spanned} endings were tokenised apart from their context, because a token spans both; "
        "lm-evaluation-harness stops at these"
    ]
