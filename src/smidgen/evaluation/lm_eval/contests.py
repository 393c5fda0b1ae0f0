"""Which requests compete with each other, so that the fast precision can be exact where it decides."""

from collections.abc import Callable, Sequence

from smidgen.evaluation.decided import Contest, decide
from smidgen.evaluation.log_likelihood import Likelihood, log_likelihoods
from smidgen.evaluation.request import Request
from smidgen.model.decoder import Decoder

# Context and continuation of each request of one item.
Pairs = Sequence[tuple[str, str]]


def fast_likelihoods(
    decoder: Decoder,
    items: Sequence[Pairs],
    requests: Sequence[Request],
    *,
    max_length: int,
    stop_requested: Callable[[], bool],
) -> list[Likelihood]:
    """Likelihoods of all ``requests``, item after item, that lead to the choices of float32.

    An item of one request has no rival: its sum and whether it is greedy are computed in float32.
    """
    alone, rivals = _places(items)
    common = {"max_length": max_length, "stop_requested": stop_requested}
    exact = log_likelihoods(decoder, [requests[index] for index in alone], **common)  # type: ignore[arg-type]
    decision = decide(
        decoder,
        [requests[index] for index in rivals],
        _contests([item for item in items if len(item) > 1]),
        **common,  # type: ignore[arg-type]
    )
    found = dict(zip([*alone, *rivals], [*exact, *decision.likelihoods], strict=True))
    return [found[index] for index in range(len(requests))]


def _places(items: Sequence[Pairs]) -> tuple[list[int], list[int]]:
    """Indices of the requests that are alone in their item, and of the others."""
    sizes = [len(item) for item in items for _ in item]
    everything = range(len(sizes))
    return [index for index in everything if sizes[index] == 1], [index for index in everything if sizes[index] > 1]


def _contests(items: Sequence[Pairs]) -> list[Contest]:
    contests, start = [], 0
    for item in items:
        contests.append(Contest(requests=range(start, start + len(item)), divisors=_divisors(item)))
        start += len(item)
    return contests


def _divisors(item: Pairs) -> tuple[tuple[float, ...], ...]:
    """For ``acc``, ``acc_norm`` and ``acc_bytes``; the usual delimiter, one blank, does not count."""
    texts = [continuation.removeprefix(" ") for _, continuation in item]
    return (
        (1.0,) * len(texts),
        tuple(max(1.0, len(text)) for text in texts),
        tuple(max(1.0, len(text.encode())) for text in texts),
    )
