"""What the best settings of a sweep become at another batch size, width or length: rules that others found.

They were found for other models, mostly a hundred times as large, and none was tried here. Only settings that were
swept are transferred: a rule says how the best value moves, and is no reason to believe that a value was the best.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from smidgen.recipes.recipe import Recipe

RATE, BATCH, DECAY, DECAY_START = (
    "training.peak_learning_rate",
    "training.batch_tokens",
    "training.weight_decay",
    "training.decay_start",
)


@dataclass(frozen=True, kw_only=True)
class Transferred:
    """A key with its value elsewhere, ``None`` where only the direction is known, the rule and who says so."""

    key: str
    value: float | None
    rule: str
    source: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def transfer(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> list[Transferred]:
    """What ``settings``, the best of a sweep on ``before`` by dotted key, should be on ``after``.

    Nothing where no rule is about a key or about what differs between the recipes. Learning rates follow the rules
    of Adam, so there are none with Muon.
    """
    found: list[Transferred] = []
    for rule in (_rate_by_batch, _rate_by_width, _rate_by_tokens, _batch_by_tokens, _decay_start_by_tokens):
        found += rule(settings, before, after)
    return [*found, *_weight_decay(settings, before, after, found)]


def elsewhere(settings: Mapping[str, Any], best: Recipe) -> list[dict[str, Any]]:
    """The rules at four times the batch, at twice the width and at ten times the tokens, with the words for that."""
    training, design = best.training, best.design
    changes: list[tuple[str, Callable[[], Recipe]]] = [
        (
            f"at 4 times the batch, {4 * training.batch_tokens:,} tokens a step",
            lambda: replace(best, training=replace(training, batch_tokens=4 * training.batch_tokens)),
        ),
        (
            f"at twice the width, hidden size {2 * design.hidden_size:,}",
            lambda: replace(best, design=replace(design, hidden_size=2 * design.hidden_size)),
        ),
        (
            f"at 10 times the training, {10 * training.tokens:,} tokens",
            lambda: replace(best, training=replace(training, tokens=10 * training.tokens)),
        ),
    ]
    told = []
    for where, changed in changes:
        try:
            after = changed()
        except ValueError:
            # A batch larger than the training, or heads that do not fit the width.
            continue
        told += [{"where": where, **one.as_dict()} for one in transfer(settings, best, after)]
    return told


def _rate_by_batch(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> Iterator[Transferred]:
    ratio = after.training.batch_tokens / before.training.batch_tokens
    if RATE in settings and ratio != 1 and _is_adam(before):
        yield Transferred(
            key=RATE,
            value=settings[RATE] * math.sqrt(ratio),
            rule=f"Adam's learning rate grows with the square root of the batch (x {math.sqrt(ratio):.3g}), up to "
            "the critical batch size, beyond which larger batches waste tokens",
            source="Malladi et al. 2022, arXiv:2205.10287; McCandlish et al. 2018, arXiv:1812.06162",
        )


def _rate_by_width(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> Iterator[Transferred]:
    ratio = before.design.hidden_size / after.design.hidden_size
    if RATE in settings and ratio != 1 and _is_adam(before):
        yield Transferred(
            key=RATE,
            value=settings[RATE] * ratio,
            rule=f"Adam's learning rate of hidden matrices falls with the width (x {ratio:.3g}); that of embeddings "
            "and norms stays, so that one rate for all should fall less",
            source="Yang et al. 2022, arXiv:2203.03466",
        )


def _rate_by_tokens(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> Iterator[Transferred]:
    if RATE in settings and _is_longer(before, after):
        yield Transferred(
            key=RATE,
            value=None,
            rule="longer training wants a lower learning rate, by a power of its length that has to be fitted",
            source="Bjorck et al. 2024, arXiv:2409.19913",
        )


def _batch_by_tokens(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> Iterator[Transferred]:
    if BATCH in settings and _is_longer(before, after):
        yield Transferred(
            key=BATCH,
            value=None,
            rule="longer training bears larger batches: the critical batch size grows as the loss falls, with the "
            "tokens rather than with the model",
            source="McCandlish et al. 2018, arXiv:1812.06162; Zhang et al. 2024, arXiv:2410.21676",
        )


def _decay_start_by_tokens(settings: Mapping[str, Any], before: Recipe, after: Recipe) -> Iterator[Transferred]:
    if DECAY_START in settings and before.training.schedule == "wsd" and _is_longer(before, after):
        yield Transferred(
            key=DECAY_START,
            value=None,
            rule="longer training can do with a shorter share of decay: 10% of the tokens were enough where 2.5% "
            "were not, and a run can be decayed from any point of its plateau",
            source="Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392",
        )


def _weight_decay(
    settings: Mapping[str, Any], before: Recipe, after: Recipe, found: list[Transferred]
) -> Iterator[Transferred]:
    """Over how much of the training the weights average, batch / (rate x decay x tokens), is what stays."""
    moved = next((one.value for one in found if one.key == RATE and one.value is not None), None)
    rates = settings.get(RATE, before.training.peak_learning_rate), moved or after.training.peak_learning_rate
    ratio = (
        (after.training.batch_tokens / before.training.batch_tokens)
        * (before.training.tokens / after.training.tokens)
        * (rates[0] / rates[1])
    )
    if settings.get(DECAY) and not math.isclose(ratio, 1) and _is_adam(before):
        yield Transferred(
            key=DECAY,
            value=settings[DECAY] * ratio,
            rule=f"AdamW averages over batch / (learning rate x weight decay x tokens) of a training, and the best "
            f"such share stays the same (x {ratio:.3g} at a learning rate of {rates[1]:.3g})",
            source="Wang and Aitchison 2024, arXiv:2405.13698",
        )


def _is_adam(recipe: Recipe) -> bool:
    return recipe.training.optimizer == "adamw"


def _is_longer(before: Recipe, after: Recipe) -> bool:
    return after.training.tokens > before.training.tokens
