"""The task "arithmark2-generated": held-out equations in the forms of ArithMark 2.0, chosen and written out.

The official file cannot be downloaded here, so the name says that the items are generated.
"""

from collections.abc import Callable, Sequence

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.arithmetic import ArithmeticItem, arithmetic_items, floor_baselines
from smidgen.evaluation.log_likelihood import Request, log_likelihoods
from smidgen.evaluation.score import Score, accuracy, credit
from smidgen.evaluation.task import TaskOutcome
from smidgen.generation.decoding import greedy_batch

TASK = "arithmark2-generated"
DEFAULT_ITEMS = 1000
# Enough for a blank, the answer's three digits and the end of the line, whatever the tokenizer.
ANSWER_TOKENS = 8


def score_arithmetic(
    model: OpenModel, *, limit: int | None, seed: int, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    """Multiple choice by the sum of log-probabilities (``acc``) and greedy generation (``exact_match``).

    Context and ending are tokenised apart and joined without special tokens, as ArithMark 2.0 does.
    """
    items = arithmetic_items(seed=seed, items=limit or DEFAULT_ITEMS)
    choice_credits, ties, truncated = _choices(model, items, stop_requested)
    matches = _exact_matches(model, items)
    scores = {
        TASK: {"acc": accuracy(choice_credits, ties=ties, truncated=truncated), "exact_match": accuracy(matches)}
    }
    for count in sorted({item.operator_count for item in items}):
        part = f"{TASK}/{count} operator{'s' if count > 1 else ''}"
        scores[part] = _of_count(items, count, choice_credits, matches)
    results = [
        {"task": TASK, "item": item.expression, "credit": choice, "exact_match": match}
        for item, choice, match in zip(items, choice_credits, matches, strict=True)
    ]
    return TaskOutcome(scores=scores, baselines={TASK: floor_baselines(items)}, items=results)


def _choices(
    model: OpenModel, items: Sequence[ArithmeticItem], stop_requested: Callable[[], bool]
) -> tuple[list[float], int, int]:
    encode = model.tokenizer.encode
    requests = [
        Request(tuple(encode(item.context)), tuple(encode(ending))) for item in items for ending in item.endings
    ]
    likelihoods = log_likelihoods(model.decoder, requests, stop_requested=stop_requested)
    credits, ties, start = [], 0, 0
    for item in items:
        end = start + len(item.endings)
        points, tied = credit([value.log_probability for value in likelihoods[start:end]], item.label)
        credits.append(points)
        ties += tied
        start = end
    return credits, ties, sum(value.truncated for value in likelihoods)


def _exact_matches(model: OpenModel, items: Sequence[ArithmeticItem]) -> list[float]:
    prompts = [model.tokenizer.encode(item.context) for item in items]
    written = greedy_batch(
        model.decoder,
        prompts,
        max_new_tokens=ANSWER_TOKENS,
        stop_ids={model.tokenizer.end_of_text_id},
    )
    answers = [model.tokenizer.decode(ids).split("\n")[0].strip() for ids in written]
    return [float(answer == item.endings[item.label].strip()) for answer, item in zip(answers, items, strict=True)]


def _of_count(
    items: Sequence[ArithmeticItem], count: int, credits: Sequence[float], matches: Sequence[float]
) -> dict[str, Score]:
    chosen = [number for number, item in enumerate(items) if item.operator_count == count]
    return {
        "acc": accuracy([credits[number] for number in chosen]),
        "exact_match": accuracy([matches[number] for number in chosen]),
    }
