"""The task "minimal-pairs": is the grammatical sentence more probable than its minimally different twin?"""

from collections.abc import Callable

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.grammar import PHENOMENA, minimal_pairs
from smidgen.evaluation.log_likelihood import Request, log_likelihoods
from smidgen.evaluation.score import accuracy, credit
from smidgen.evaluation.task import TaskOutcome

TASK = "minimal-pairs"
DEFAULT_PAIRS = 200
# Two sentences to choose from.
CHANCE = 0.5


def score_minimal_pairs(
    model: OpenModel, *, limit: int | None, seed: int, stop_requested: Callable[[], bool]
) -> TaskOutcome:
    """Accuracy over generated, held-out pairs, by phenomenon and in all (each phenomenon has equally many).

    A sentence is scored after the document separator by the sum of its log-probabilities, as in BLiMP
    (arXiv:1912.00582).
    """
    pairs = minimal_pairs(seed=seed, per_phenomenon=limit or DEFAULT_PAIRS)
    start = (model.tokenizer.end_of_text_id,)
    sentences = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    requests = [Request(start, tuple(model.tokenizer.encode(sentence))) for sentence in sentences]
    values = [
        value.log_probability for value in log_likelihoods(model.decoder, requests, stop_requested=stop_requested)
    ]
    outcomes = [credit(both, 0) for both in zip(values[::2], values[1::2], strict=True)]
    scores = {TASK: {"acc": accuracy([points for points, _ in outcomes], ties=sum(tied for _, tied in outcomes))}}
    for phenomenon in PHENOMENA:
        mine = [outcome for pair, outcome in zip(pairs, outcomes, strict=True) if pair.phenomenon == phenomenon]
        scores[f"{TASK}/{phenomenon}"] = {
            "acc": accuracy([points for points, _ in mine], ties=sum(tied for _, tied in mine))
        }
    items = [
        {"task": TASK, "phenomenon": pair.phenomenon, "good": pair.good, "bad": pair.bad, "credit": points}
        for pair, (points, _) in zip(pairs, outcomes, strict=True)
    ]
    baselines = {name: {"chance": CHANCE} for name in scores}
    return TaskOutcome(scores=scores, baselines=baselines, items=items)
