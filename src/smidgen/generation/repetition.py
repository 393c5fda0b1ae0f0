"""How much a text repeats itself: loops, collapse into certainty, and distinct n-grams. No torch here."""

from collections.abc import Sequence


def loop_start(
    token_ids: Sequence[int], *, min_period: int = 1, max_period: int = 64, repeats: int = 4
) -> int | None:
    """Where the first loop begins: some unit of min_period..max_period tokens, ``repeats`` times in a row.

    None when there is no loop. The loop may end again; whoever asks for loops that never end can test the rest.
    ``max_period`` 64 is assumed: about three sentences at the tokens per word of a 4k vocabulary.
    """
    if not 1 <= min_period <= max_period:
        raise ValueError(f"min_period={min_period} must be between 1 and max_period={max_period}")
    if repeats < 2:
        raise ValueError(f"repeats={repeats} must be at least 2: a unit seen once is no loop; 4 is usual")
    starts = (_first_run(token_ids, period, repeats) for period in range(min_period, max_period + 1))
    return min((start for start in starts if start is not None), default=None)


def _first_run(token_ids: Sequence[int], period: int, repeats: int) -> int | None:
    """The first index from which ``repeats`` equal units of ``period`` tokens follow each other."""
    needed = period * (repeats - 1)
    equal = 0
    for index in range(period, len(token_ids)):
        equal = equal + 1 if token_ids[index] == token_ids[index - period] else 0
        if equal == needed:
            return index + 1 - period * repeats
    return None


def collapse_start(entropies: Sequence[float], *, window: int = 32, most_nats: float = 0.25) -> int | None:
    """Where the model stops choosing: the first ``window`` tokens in a row whose mean entropy is below ``most_nats``.

    ``entropies`` are those of the model's own distribution at each token, in nats, before any sampling setting. A
    loop that a penalty keeps from closing exactly shows here and not in ``loop_start``; so does text known by heart.
    At 0.25 nats the likeliest token has about 95%. Real text is never that foreseeable for 32 tokens: the least of
    255 held-out passages was 0.96 nats, under a model of 1M parameters (21 November 2026, docs/samplers.md).
    """
    if window < 1:
        raise ValueError(f"window={window} must be at least 1; 32 is usual")
    total = 0.0
    for index, entropy in enumerate(entropies):
        total += entropy - (entropies[index - window] if index >= window else 0.0)
        if index + 1 >= window and total <= most_nats * window:
            return index + 1 - window
    return None


def distinct_ngrams(token_ids: Sequence[int], n: int) -> float:
    """Distinct n-grams as a share of all n-grams (distinct-n, arXiv:1510.03055); 1.0 for a text below n tokens."""
    if n < 1:
        raise ValueError(f"n={n} must be at least 1; 2 to 4 is usual")
    ngrams = [tuple(token_ids[i : i + n]) for i in range(len(token_ids) - n + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else 1.0
