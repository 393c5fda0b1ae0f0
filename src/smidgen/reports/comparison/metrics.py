"""How the values of a metric are written, and which direction is better."""

from typing import Any

from smidgen.reports import words

_SHARES = ("acc", "exact_match", "real_words")


def is_share(metric: str) -> bool:
    """Whether values are fractions from 0 to 1, written as percentages."""
    return metric.startswith(_SHARES)


def is_less_better(metric: str) -> bool:
    return "perplexity" in metric or metric == "bits_per_byte"


def value_words(metric: str, value: float) -> str:
    """ "31.2%", or three digits after the point where the metric is no share; of large values four in all."""
    return words.percent(value) if is_share(metric) else _plain(value)


def interval_words(metric: str, score: dict[str, Any]) -> str:
    """ "29.8 to 32.6" without the unit, which the value carries; empty without an interval."""
    if score.get("low") is None or score.get("high") is None:
        return ""
    return f"{_bare(metric, score['low'])} to {_bare(metric, score['high'])}"


def difference_words(metric: str, value: float, low: float | None, high: float | None) -> str:
    """ "+1.2 (−0.3 to +2.7)"; differences of shares are in percentage points."""
    if low is None or high is None:
        return signed_words(metric, value)
    return f"{signed_words(metric, value)} ({signed_words(metric, low)} to {signed_words(metric, high)})"


def tick_words(metric: str, difference: float) -> str:
    """ "+2.5" or "−10" on the axis of differences; rounded, because 3 steps of 0.1 are not 0.3."""
    number = round(100 * difference if is_share(metric) else difference, 6)
    return signed(number) if number else "0"


def signed(number: float) -> str:
    """Three digits that count, with the sign in front: "+0.106"."""
    return f"{number:+.3g}".replace("-", words.MINUS)


def signed_words(metric: str, value: float) -> str:
    """A difference of values, of shares in points: "+1.2"."""
    number = _bare(metric, abs(value))
    return number if float(number) == 0 else f"{words.MINUS if value < 0 else '+'}{number}"


def _bare(metric: str, value: float) -> str:
    return f"{100 * value:.1f}" if is_share(metric) else _plain(value)


def _plain(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 10_000 else f"{value:.3g}"
