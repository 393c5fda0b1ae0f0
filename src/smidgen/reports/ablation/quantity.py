"""How values and differences of a metric are written here: four digits after the point, for effects are small."""

from smidgen.reports import words
from smidgen.reports.ablation.result import BITS_TASK
from smidgen.reports.comparison.metrics import is_less_better, is_share
from smidgen.reports.score_words import task_title

BITS_TITLE = "Bits per byte"


def value_words(metric: str, value: float) -> str:
    """ "1.6234", or "61.2%" of a share."""
    return words.percent(value) if is_share(metric) else _plain(value)


def unit(metric: str) -> str:
    """What differences are in: "bits per byte", "points"."""
    return "points" if is_share(metric) else metric.replace("_", " ")


def task_words(task: str) -> str:
    return BITS_TITLE if task == BITS_TASK else task_title(task)


def title(task: str, metric: str) -> str:
    """ "Bits per byte", "Minimal pairs, points"."""
    return BITS_TITLE if task == BITS_TASK else f"{task_title(task)}, {unit(metric)}"


def size_words(metric: str, difference: float) -> str:
    """Without a sign: "0.0061", or in points "1.2"."""
    return f"{100 * abs(difference):.1f}" if is_share(metric) else _plain(abs(difference))


def signed_words(metric: str, difference: float) -> str:
    """ "+0.0061" """
    number = size_words(metric, difference)
    if not float(number):
        return number
    return f"{words.MINUS if difference < 0 else '+'}{number}"


def interval_words(metric: str, low: float | None, high: float | None) -> str:
    """ "−0.0020 to +0.0043", empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{signed_words(metric, low)} to {signed_words(metric, high)}"


def with_interval(metric: str, difference: float, low: float | None, high: float | None) -> str:
    interval = interval_words(metric, low, high)
    return signed_words(metric, difference) + (f" ({interval})" if interval else "")


def range_words(metric: str, low: float | None, high: float | None) -> str:
    """Of values: "1.6201 to 1.6267", "59.0 to 63.3"."""
    if low is None or high is None:
        return ""
    first, last = (f"{100 * value:.1f}" if is_share(metric) else _plain(value) for value in (low, high))
    return f"{first} to {last}"


def gain(metric: str, difference: float) -> float:
    """The difference in the metric's good direction."""
    return -difference if is_less_better(metric) else difference


def chance_words(p: float | None) -> str:
    """ "p 0.004", "p < 0.0001"; empty where nothing was tested."""
    if p is None:
        return ""
    return "p < 0.0001" if p < 0.0001 else f"p {p:.2g}"


def multiple(scale: float) -> str:
    """ "2×" """
    return f"{scale:g}×"


def _plain(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
