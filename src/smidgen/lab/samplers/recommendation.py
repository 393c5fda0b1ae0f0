"""Which setting to recommend, by a rule that is stated with the result."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.lab.samplers.measurement import Floats, Measured, resampled

RULE = (
    "Of all settings, those whose texts do not loop clearly more often than those of the setting with the fewest "
    "loops; of these, those that do not write clearly more unknown words than the one with the fewest; of these, the "
    "one whose texts are as likely under the model as real text is. Clearly more: the 95% interval of the "
    "difference, over resamples of the prompts, lies above zero."
)


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The place of the recommended setting, and how many were left after each step."""

    place: int
    without_loops: int
    without_garble: int


def recommend(measured: Sequence[Measured], real: Measured) -> Recommendation:
    """Apply ``RULE`` to the settings; ``real`` is the same measured on real text."""
    ratios = resampled(measured)
    left = _not_clearly_more(measured, ratios, "loop_rate", list(range(len(measured))))
    without_loops = len(left)
    left = _not_clearly_more(measured, ratios, "garble", left)
    aim = real.ratio("nll") or 0.0
    nearest = min(left, key=lambda place: abs((measured[place].ratio("nll") or 0.0) - aim))
    return Recommendation(place=nearest, without_loops=without_loops, without_garble=len(left))


def _not_clearly_more(
    measured: Sequence[Measured], ratios: dict[str, Floats], name: str, places: list[int]
) -> list[int]:
    """Those of ``places`` that are not clearly above the lowest; all where none has anything to count."""
    found = {place: measured[place].ratio(name) for place in places}
    counted = {place: ratio for place, ratio in found.items() if ratio is not None}
    if not counted:
        return places
    lowest = min(counted, key=lambda place: counted[place])
    return [place for place in counted if not _is_clearly_more(ratios[name][:, place], ratios[name][:, lowest])]


def _is_clearly_more(ratios_R: Floats, lowest_R: Floats) -> bool:
    return bool(np.nanpercentile(ratios_R - lowest_R, 2.5) > 0)
