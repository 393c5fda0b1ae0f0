"""Which variants have a colour of their own: all of a few, of many the best."""

from smidgen.reports.ablation import quantity
from smidgen.reports.ablation.result import BASE, Result
from smidgen.reports.charts import svg

# Of more than there are colours, only so many stand out: with eight curves in front of twenty, none would.
MOST_OUTSTANDING = 5


def colours(result: Result) -> dict[str, str]:
    """Classes of the style sheet by variant, the base's first; who has none stays in the background."""
    names = [variant.name for variant in result.variants]
    if len(names) > svg.SERIES_COLOURS:
        names = best(result)[:MOST_OUTSTANDING]
    return {BASE: BASE, **{name: svg.series(number) for number, name in enumerate(names)}}


def best(result: Result) -> list[str]:
    """Variants with a difference to the base, the largest gain first."""
    gains = {
        name: quantity.gain(verdict.metric, verdict.difference)
        for name, verdict in result.main_verdicts.items()
        if verdict.difference is not None and verdict.kind != "diverged"
    }
    return sorted(gains, key=gains.__getitem__, reverse=True)
