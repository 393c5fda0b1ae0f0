"""What is measured of texts, and how sure it is: loops, variety, unknown words and likelihood.

Shapes of arrays:
    P prompts    R resamples    S settings
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smidgen.evaluation.intervals import BOOTSTRAP_RESAMPLES, wilson_interval
from smidgen.evaluation.spelling_task import Written
from smidgen.generation.drawing import Drawn
from smidgen.generation.repetition import collapse_start, distinct_ngrams, loop_start

Floats = npt.NDArray[np.float64]

DISTINCT_N = 3
# Each is a ratio of two sums over prompts.
RATIOS = {
    "loop_rate": ("looped", "texts"),
    "cycle_rate": ("cycled", "texts"),
    "collapse_rate": ("collapsed", "texts"),
    "distinct": ("distinct", "texts"),
    "garble": ("unknown", "words"),
    "nll": ("nats", "tokens"),
}
_SUMS = tuple(dict.fromkeys(name for pair in RATIOS.values() for name in pair))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Sums of each prompt's texts, by name: {"texts": [...], "looped": [...], ...}, P numbers each."""

    sums: dict[str, list[float]]

    def ratio(self, name: str) -> float | None:
        """None where there is nothing to count, as garble where no word was written."""
        top, bottom = (sum(self.sums[part]) for part in RATIOS[name])
        return top / bottom if bottom else None

    def as_dict(self) -> dict[str, Any]:
        """Each ratio with its interval."""
        intervals = resampled([self])
        ratios = {name: self.ratio(name) for name in RATIOS}
        return {
            **{name: None if ratio is None else round(ratio, 5) for name, ratio in ratios.items()},
            "tokens": int(sum(self.sums["tokens"])),
            "texts": int(sum(self.sums["texts"])),
            "intervals": {
                name: self._interval(name, ratio, intervals[name][:, 0])
                for name, ratio in ratios.items()
                if ratio is not None
            },
        }

    def _interval(self, name: str, ratio: float, resampled_R: Floats) -> dict[str, float]:
        low, high = np.nanpercentile(resampled_R, [2.5, 97.5])
        if name.endswith("_rate") and ratio in (0, 1):
            # Every resample gives the same there; prompts are the independent draws.
            prompts = len(self.sums["texts"])
            low, high = wilson_interval(ratio * prompts, prompts)
        return {"low": round(float(low), 5), "high": round(float(high), 5)}


def measure(texts: Sequence[Sequence[tuple[Drawn, Written]]], lexicon: frozenset[str]) -> Measured:
    """The sums over the texts of each prompt."""
    counted = [[_counts(drawn, written, lexicon) for drawn, written in of_prompt] for of_prompt in texts]
    return Measured(sums={name: [sum(one[name] for one in of_prompt) for of_prompt in counted] for name in _SUMS})


def _counts(drawn: Drawn, written: Written, lexicon: frozenset[str]) -> dict[str, float]:
    cycled = loop_start(drawn.token_ids) is not None
    collapsed = collapse_start(drawn.entropies) is not None
    words = written.words()
    return {
        "texts": 1,
        "looped": cycled or collapsed,
        "cycled": cycled,
        "collapsed": collapsed,
        "distinct": distinct_ngrams(drawn.token_ids, DISTINCT_N),
        "unknown": sum(word not in lexicon for word in words),
        "words": len(words),
        "nats": sum(drawn.nats),
        "tokens": len(drawn.token_ids),
    }


def resampled(measured: Sequence[Measured]) -> dict[str, Floats]:
    """Each ratio of every setting under the same resamples of the prompts (bootstrap): (R, S), NaN for nothing."""
    P = len(measured[0].sums["texts"])
    counts_RP = np.random.default_rng(0).multinomial(P, np.full(P, 1 / P), size=BOOTSTRAP_RESAMPLES).astype(float)
    sums_RS = {name: counts_RP @ np.array([one.sums[name] for one in measured], float).T for name in _SUMS}
    with np.errstate(invalid="ignore", divide="ignore"):
        return {name: sums_RS[top] / sums_RS[bottom] for name, (top, bottom) in RATIOS.items()}
