"""Which window of which source is training sample i: a pure function of (seed, i).

Nothing here uses a random stream of numpy, whose permutations may change between its versions: all chance comes
from hashes that are written out below, so a run continues identically on another machine.
"""

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from smidgen.recipes.mixture import DataSettings

# Raise it when a seed gives another order: runs that began with the old one are told.
ORDER_VERSION = 2
# Samples are dealt in blocks of this many, so that every stretch of training is well mixed.
BLOCK_SAMPLES = 64
# The plan is counted in 2**-32 of a sample: 2**31 samples still fit 63 bits.
PLAN_BITS = 32
MOST_SAMPLES = 2**31
# Each round replaces both halves. Measured over 6,000 keys: with 6 rounds the 120 orders of 5 windows come equally
# often (chi-square 123 at 119 degrees of freedom), with 4 they do not (216).
FEISTEL_ROUNDS = 6

Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


class SampleOrder:
    """The order of training samples, fixed by the plan, the numbers of windows and the seed.

    At the end of every block of 64 samples the count of each source lies within 1 of its plan, the integral of
    the curriculum; inside a block, whose sources are shuffled evenly, within 3 or so. Sample k of a source is window
    p(k mod n) of its n windows, p being a permutation of its own for each epoch k // n.
    """

    def __init__(
        self, settings: DataSettings, *, total_samples: int, window_counts: Mapping[str, int], seed: int
    ) -> None:
        if not 0 < total_samples <= MOST_SAMPLES:
            raise ValueError(f"total_samples={total_samples} must lie between 1 and 2**31")
        self.names = tuple(settings.sources)
        empty = [name for name in self.names if not window_counts.get(name, 0) > 0]
        if empty:
            raise ValueError(f"source {empty[0]!r} has no window; each source needs at least 1")
        self.total_samples = total_samples
        self.window_counts = {name: window_counts[name] for name in self.names}
        self._seed = seed
        self._block_seed = _word(f"blocks of seed {seed}")
        # _dealt[b] are the counts of each source before block b.
        self._dealt = _deal(_planned_quanta(settings, total_samples), _block_ends(total_samples))

    def source_of(self, start: int, count: int) -> Integers:
        """The source of samples ``start`` to ``start + count - 1``, as positions in ``names``."""
        return self._sources_and_ordinals(start, count)[0]

    def windows_of(self, start: int, count: int) -> tuple[Integers, Integers]:
        """The sources, as positions in ``names``, and the windows of ``count`` samples from ``start``."""
        sources, ordinals = self._sources_and_ordinals(start, count)
        windows = np.empty_like(ordinals)
        for source in np.unique(sources):
            chosen = sources == source
            windows[chosen] = self._windows(self.names[source], ordinals[chosen])
        return sources, windows

    def batch(self, start: int, count: int) -> list[tuple[str, int]]:
        """Source name and window of ``count`` samples from ``start``."""
        sources, windows = self.windows_of(start, count)
        return [
            (self.names[source], window) for source, window in zip(sources.tolist(), windows.tolist(), strict=True)
        ]

    def sample(self, index: int) -> tuple[str, int]:
        """Source name and window of one sample."""
        return self.batch(index, 1)[0]

    def sample_counts(self) -> dict[str, int]:
        """How many samples of each source the whole run takes."""
        return dict(zip(self.names, self._dealt[-1].tolist(), strict=True))

    def epochs(self) -> dict[str, float]:
        """How often the whole run goes through each source."""
        return {name: count / self.window_counts[name] for name, count in self.sample_counts().items()}

    def _sources_and_ordinals(self, start: int, count: int) -> tuple[Integers, Integers]:
        """The source of each sample and how many samples of that source come before it in the run."""
        if start < 0 or count < 0 or start + count > self.total_samples:
            raise IndexError(f"samples {start} to {start + count - 1} lie outside the run of {self.total_samples}")
        if count == 0:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        first, last = start // BLOCK_SAMPLES, (start + count - 1) // BLOCK_SAMPLES
        before, after = self._dealt[first : last + 1], self._dealt[first + 1 : last + 2]
        sources = self._sources(first, after - before)
        of_source = sources[:, :, None] == np.arange(len(self.names))
        so_far = np.cumsum(of_source, axis=1) - 1 + before[:, None, :]
        ordinals = np.take_along_axis(so_far, sources[:, :, None], axis=2)
        inside = slice(start - first * BLOCK_SAMPLES, start - first * BLOCK_SAMPLES + count)
        return sources.reshape(-1)[inside], ordinals.reshape(-1)[inside]

    def _sources(self, first: int, counts: Integers) -> Integers:
        """The sources of blocks from ``first`` on that hold ``counts`` of each, shuffled in each block, but evenly.

        Sample j of the n of a source lies at a chance point of the j-th n-th of the block. Places beyond the end of
        the last block come after all samples.
        """
        ends = counts.cumsum(axis=1)
        slots = np.arange(BLOCK_SAMPLES)
        sources = (slots[None, :, None] >= ends[:, None, :]).sum(axis=2)
        is_beyond = sources == len(self.names)
        sources[is_beyond] -= 1
        numbers = slots - np.take_along_axis(ends - counts, sources, axis=1)
        words = _mixed((first * BLOCK_SAMPLES + np.arange(sources.size, dtype=np.uint64)) ^ self._block_seed)
        chances = (words >> np.uint64(11)).reshape(sources.shape) * 2.0**-53
        points = (numbers + chances) / np.maximum(np.take_along_axis(counts, sources, axis=1), 1)
        points[is_beyond] = np.inf
        return np.take_along_axis(sources, points.argsort(axis=1, kind="stable"), axis=1)

    def _windows(self, name: str, ordinals: Integers) -> Integers:
        count = self.window_counts[name]
        epochs, places = np.divmod(ordinals, count)
        windows = np.empty_like(ordinals)
        for epoch in np.unique(epochs).tolist():
            chosen = epochs == epoch
            windows[chosen] = permuted(places[chosen], count, f"source {name} epoch {epoch} of seed {self._seed}")
        return windows


# Dealing samples to sources


def _block_ends(total_samples: int) -> Integers:
    blocks = -(-total_samples // BLOCK_SAMPLES)
    return np.minimum(np.arange(1, blocks + 1, dtype=np.int64) * BLOCK_SAMPLES, total_samples)


def _planned_quanta(settings: DataSettings, total_samples: int) -> Integers:
    """Planned cumulative samples at each block's end, per source, in 2**-32 samples; rows sum exactly."""
    ends = _block_ends(total_samples)
    planned = planned_samples(settings, ends / total_samples, total_samples)
    scaled = np.rint(planned * 2.0**PLAN_BITS).astype(np.int64)
    steps = np.maximum(np.diff(scaled, axis=0, prepend=0), 0)
    wanted = np.diff(ends, prepend=0) << PLAN_BITS
    # Rounding leaves a few quanta in a block; its largest source takes them and does not feel it.
    largest = steps.argmax(axis=1)
    steps[np.arange(len(steps)), largest] += wanted - steps.sum(axis=1)
    return steps.cumsum(axis=0)


def planned_samples(
    settings: DataSettings, fractions: npt.NDArray[np.float64], total_samples: int
) -> npt.NDArray[np.float64]:
    """Planned samples of each source (columns) up to each fraction of the run (rows): the curriculum's integral.

    Shares are linear between points, so this equals the sum of the shares at (i + 0.5) / total_samples.
    """
    knots = np.array(sorted({0.0, 1.0, *(point.at for point in settings.curriculum)}))
    shares = np.array([[settings.shares_at(knot)[name] for name in settings.sources] for knot in knots.tolist()])
    widths = np.diff(knots)[:, None]
    areas = np.vstack([np.zeros(shares.shape[1]), np.cumsum(widths * (shares[1:] + shares[:-1]) / 2, axis=0)])
    segment = np.clip(np.searchsorted(knots, fractions, side="right") - 1, 0, len(knots) - 2)
    inside = (fractions - knots[segment])[:, None]
    slopes = (shares[1:] - shares[:-1]) / widths
    return total_samples * (areas[segment] + inside * shares[segment] + inside**2 * slopes[segment] / 2)


def _deal(planned: Integers, ends: Integers) -> Integers:
    """Whole cumulative counts (a first row of zeros) that sum to ``ends`` and stay within 1 of the plan.

    Sample j + 1 of a source may be dealt once its plan exceeds j and must be once the plan reaches j + 1. Where
    several sources may have the remaining places, the one whose sample is due first gets it: earliest deadline
    first meets all deadlines that can be met, and the plan itself shows that they can. Giving them to the largest
    remainders instead overdraws a block when many sources fade out together (test_order has the case).
    """
    floors = planned >> PLAN_BITS
    choices = np.argsort(_deadlines(planned, floors), axis=1, kind="stable")
    dealt = np.empty((len(ends) + 1, planned.shape[1]), np.int64)
    dealt[0] = 0
    counts = [0] * planned.shape[1]
    # The carry makes this sequential; plain lists are ten times quicker here than small arrays.
    rows = zip(floors.tolist(), choices.tolist(), ends.tolist(), strict=True)
    for block, (floor, choice, end) in enumerate(rows, start=1):
        counts = [max(least, count) for least, count in zip(floor, counts, strict=True)]
        missing = end - sum(counts)
        for source in choice:
            if missing == 0:
                break
            if counts[source] == floor[source]:
                counts[source] += 1
                missing -= 1
        assert missing == 0, "the plan of a block sums to its samples"
        dealt[block] = counts
    return dealt


def _deadlines(planned: Integers, floors: Integers) -> Integers:
    """The block in which each source's next sample is due; past the end for one that may not be dealt yet."""
    deadlines = np.empty_like(planned)
    for source in range(planned.shape[1]):
        due = (floors[:, source] + 1) << PLAN_BITS
        deadlines[:, source] = np.searchsorted(planned[:, source], due, side="left")
    deadlines[planned == floors << PLAN_BITS] = len(planned) + 1
    return deadlines


# Chance from hashes


def permuted(places: Integers, count: int, key: str) -> Integers:
    """Where a permutation of 0..count-1, chosen by ``key``, sends ``places``: a Feistel network, without a table.

    The network permutes the next power of two; a place that leaves 0..count-1 goes through it again until it is
    back, fewer than twice on average.
    """
    bits = max(2, (count - 1).bit_length())
    keys = _mixed(np.arange(2 * FEISTEL_ROUNDS, dtype=np.uint64) ^ _word(key))
    result = _feistel(places.astype(np.uint64), bits, keys)
    while (outside := np.flatnonzero(result >= np.uint64(count))).size:
        result[outside] = _feistel(result[outside], bits, keys)
    return result.astype(np.int64)


def _feistel(values: Words, bits: int, keys: Words) -> Words:
    low_bits = np.uint64(bits // 2)
    low_mask = np.uint64((1 << (bits // 2)) - 1)
    high_mask = np.uint64((1 << (bits - bits // 2)) - 1)
    low, high = values & low_mask, values >> low_bits
    for round_ in range(FEISTEL_ROUNDS):
        high = high ^ (_mixed(low ^ keys[2 * round_]) & high_mask)
        low = low ^ (_mixed(high ^ keys[2 * round_ + 1]) & low_mask)
    return (high << low_bits) | low


def _mixed(words: Words) -> Words:
    """SplitMix64: one step and its finaliser (Steele et al. 2014; constants of Vigna's splitmix64.c)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _word(key: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big"))
