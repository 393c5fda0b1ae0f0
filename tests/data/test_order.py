import time
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.data.order import BLOCK_SAMPLES, SampleOrder, permuted, planned_samples
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source


def mixture(*points: tuple[float, list[float]]) -> DataSettings:
    names = [f"s{number}" for number in range(len(points[0][1]))]
    return DataSettings(
        sources={name: Source(generator="arithmetic") for name in names},
        curriculum=tuple(
            CurriculumPoint(at=at, weights=dict(zip(names, weights, strict=True))) for at, weights in points
        ),
    )


def order_of(data: DataSettings, total_samples: int, windows: int | list[int] = 1_000, seed: int = 1) -> SampleOrder:
    counts = [windows] * len(data.sources) if isinstance(windows, int) else windows
    window_counts = dict(zip(data.sources, counts, strict=True))
    return SampleOrder(data, total_samples=total_samples, window_counts=window_counts, seed=seed)


THREE = mixture((0.0, [0.55, 0.30, 0.15]), (1.0, [0.40, 0.40, 0.20]))


@st.composite
def mixtures(draw) -> DataSettings:
    count = draw(st.integers(1, 12))
    weight = st.sampled_from([0.0, 1e-6, 0.001, 0.1, 1 / 3, 0.3, 1.0, 5.0]) | st.floats(0, 1)
    places = sorted(draw(st.sets(st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.9, 1.0]), min_size=1, max_size=4)))
    rows = [draw(st.lists(weight, min_size=count, max_size=count)) for _ in places]
    # Every row and every source needs a weight somewhere.
    rows = [[value if sum(row) > 1e-9 else 1.0 for value in row] for row in rows]
    rows[0] = [value if any(row[source] > 1e-9 for row in rows) else 0.5 for source, value in enumerate(rows[0])]
    return mixture(*zip(places, rows, strict=True))


@settings(max_examples=150, deadline=None)
@given(mixtures(), st.integers(1, 3_000))
def test_counts_stay_within_one_sample_of_the_plan_at_every_block_end(data, total_samples):
    sources = order_of(data, total_samples).source_of(0, total_samples)
    counts = np.cumsum(sources[:, None] == np.arange(len(data.sources)), axis=0)
    ends = np.unique([*range(BLOCK_SAMPLES, total_samples, BLOCK_SAMPLES), total_samples])
    midpoints = (np.arange(total_samples) + 0.5) / total_samples
    shares = np.array([list(data.shares_at(fraction).values()) for fraction in midpoints])
    # A knot between two midpoints moves the sum of midpoints away from the integral, by less than a sample's share.
    planned = planned_samples(data, ends / total_samples, total_samples)
    assert np.abs(planned - np.cumsum(shares, axis=0)[ends - 1]).max() < 1
    assert np.abs(counts[ends - 1] - planned).max() < 1 + 1e-5
    assert counts[-1].sum() == total_samples


def test_sources_that_fade_out_never_overdraw_a_block():
    # Dealing the open places to the largest remainders fails here: the faded sources keep what they got too early.
    data = mixture((0.0, [1.0] * 10), (0.1, [1.0] * 10), (1 / 3, [0.0] * 7 + [1e-6] * 3))
    counts = order_of(data, 216).sample_counts()
    assert sum(counts.values()) == 216
    assert max(counts["s0"], counts["s6"]) < min(counts["s7"], counts["s9"])


def test_shares_of_six_sources_over_ten_seeds_are_within_a_tenth_of_a_point():
    data = mixture(
        (0.0, [0.4, 0.2, 0.2, 0.1, 0.05, 0.05]), (0.7, [0.2] * 3 + [0.1, 0.1, 0.2]), (1.0, [0.1] * 5 + [0.5])
    )
    total = 9_766  # 10 million tokens in windows of 1,024
    for seed in range(10):
        realised = order_of(data, total, seed=seed).sample_counts()
        for name, share in data.mean_shares().items():
            assert abs(realised[name] / total - share) < 0.001


def test_a_stretch_of_training_follows_the_curriculum_at_that_point():
    sources = order_of(THREE, 100_000).source_of(90_000, 5_000)
    realised = np.bincount(sources, minlength=3) / 5_000
    assert np.abs(realised - list(THREE.shares_at(0.925).values())).max() < 0.005


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_batches_do_not_depend_on_where_they_begin_and_end(data):
    total = data.draw(st.integers(1, 700))
    order = order_of(THREE, total, [5, 70, 3], seed=data.draw(st.integers(-3, 2**70)))
    whole = order.batch(0, total)
    start = data.draw(st.integers(0, total))
    count = data.draw(st.integers(0, total - start))
    assert order.batch(start, count) == whole[start : start + count]
    assert [order.sample(index) for index in range(start, min(start + count, start + 5))] == whole[
        start : min(start + count, start + 5)
    ]


def test_the_order_is_a_pure_function_of_seed_and_index():
    one, same, other = (order_of(THREE, 5_000, seed=seed) for seed in (1, 1, 2))
    one.batch(4_000, 999)
    assert one.batch(0, 5_000) == same.batch(0, 5_000)
    assert one.batch(0, 5_000) != other.batch(0, 5_000)


def test_the_order_is_the_same_on_every_machine():
    assert order_of(THREE, 1_000, [50, 20, 9], seed=3).batch(500, 6) == GOLDEN, (
        "the order of samples changed: resumed runs would see other data; restore it or raise ORDER_VERSION"
    )


GOLDEN = [("s0", 17), ("s2", 0), ("s0", 46), ("s1", 4), ("s0", 16), ("s1", 9)]


@pytest.mark.parametrize("windows", [[1, 2, 3], [5, 64, 97], [1_000, 10, 30]])
def test_every_window_is_used_once_per_epoch_and_epochs_differ(windows):
    samples = order_of(THREE, 6_000, windows).batch(0, 6_000)
    for name, count in zip(THREE.sources, windows, strict=True):
        used = [window for source, window in samples if source == name]
        epochs = [used[start : start + count] for start in range(0, len(used) - count + 1, count)]
        assert len(epochs) >= 2
        assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
        assert count < 10 or len(set(map(tuple, epochs))) == len(epochs)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5_000), st.text(max_size=5))
def test_permuted_is_a_permutation(count, key):
    assert sorted(permuted(np.arange(count), count, key).tolist()) == list(range(count))


def test_all_orders_of_four_windows_come_equally_often():
    seen = Counter(tuple(permuted(np.arange(4), 4, f"key {key}").tolist()) for key in range(4_800))
    assert set(seen) == set(permutations(range(4)))
    chi_square = sum((count - 200) ** 2 / 200 for count in seen.values())
    assert chi_square < 52  # 23 degrees of freedom: a fair shuffle exceeds this once in 2,000 tries


def test_neighbours_in_the_data_are_not_neighbours_in_training():
    places = permuted(np.arange(100_000), 100_000, "a key")
    assert np.mean(np.abs(np.diff(places)) < 1_000) < 0.022  # chance: 0.0199
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.02


def test_the_sources_of_a_block_are_shuffled():
    sources = order_of(mixture((0.0, [0.5, 0.5])), 64_000).source_of(0, 64_000).reshape(-1, BLOCK_SAMPLES)
    assert (sources.sum(axis=1) == 32).all()
    by_place = sources.mean(axis=0)
    assert 0.4 < by_place.min() < by_place.max() < 0.6
    assert len({row.tobytes() for row in sources}) == len(sources)


def test_epochs_count_how_often_each_source_is_gone_through():
    order = order_of(mixture((0.0, [3.0, 1.0])), 400, [100, 400])
    assert order.sample_counts() == {"s0": 300, "s1": 100}
    assert order.epochs() == {"s0": 3.0, "s1": 0.25}


def test_samples_outside_the_run_do_not_exist():
    order = order_of(THREE, 100)
    for start, count in ((-1, 2), (100, 1), (90, 11)):
        with pytest.raises(IndexError, match="outside the run of 100"):
            order.batch(start, count)
    assert order.batch(100, 0) == []


def test_settings_without_samples_or_windows_are_refused():
    with pytest.raises(ValueError, match="total_samples=0"):
        order_of(THREE, 0)
    with pytest.raises(ValueError, match="source 's1' has no window"):
        order_of(THREE, 10, [3, 0, 5])


def test_five_million_samples_are_planned_in_seconds_and_looked_up_in_milliseconds():
    started = time.process_time()
    order = order_of(THREE, 5_000_000, [1_000_000, 2_000_000, 50_000])
    assert time.process_time() - started < 3  # 0.3 s measured
    started = time.process_time()
    for start in range(0, 200_000, 10_000):
        order.windows_of(start, 512)
    assert (time.process_time() - started) / 20 < 0.02  # 0.001 s measured


SIX = ((0.0, [0.4, 0.2, 0.2, 0.1, 0.05, 0.05]), (0.7, [0.2] * 3 + [0.1, 0.1, 0.2]), (1.0, [0.1] * 5 + [0.5]))


@pytest.mark.parametrize(("total", "tolerance", "step"), [(400_000, 0.001, 1), (200_000, 0.001, BLOCK_SAMPLES)])
def test_shares_over_any_hundredth_of_the_run_are_within_a_tenth_of_a_point(total, tolerance, step):
    """From 400,000 samples on (0.2 billion tokens in windows of 512) wherever it begins; from 200,000 on where it
    begins with a block."""
    data = mixture(*SIX)
    width = total // 100 // step * step
    planned = planned_samples(data, np.arange(0, total + 1, step) / total, total)
    for seed in (4, 5, 6):
        sources = order_of(data, total, seed=seed).source_of(0, total)
        for number in range(6):
            dealt = np.concatenate([[0], np.cumsum(sources == number)])[::step]
            ahead = dealt[: len(planned)] - planned[:, number]
            difference = ahead[width // step :] - ahead[: -(width // step)]
            assert np.abs(difference).max() / width < tolerance


def test_a_longer_run_on_the_same_data_starts_with_the_same_samples_where_shares_do_not_move():
    data = mixture((0.0, [0.4, 0.2, 0.2, 0.1, 0.05, 0.05]))
    for total in (100, 640, 5_000, 9_766):
        prefix = total // BLOCK_SAMPLES * BLOCK_SAMPLES
        sources, windows = order_of(data, total).windows_of(0, prefix)
        for longer in (total + 1, 2 * total, 7 * total + 13):
            other_sources, other_windows = order_of(data, longer).windows_of(0, prefix)
            assert np.array_equal(sources, other_sources)
            assert np.array_equal(windows, other_windows)


def test_a_moving_mixture_is_stretched_with_the_run():
    data = mixture((0.0, [0.9, 0.1]), (1.0, [0.1, 0.9]))
    short, long = order_of(data, 6_400), order_of(data, 64_000)
    assert not np.array_equal(short.source_of(0, 6_400), long.source_of(0, 6_400))
    # The same fraction of either run is mixed alike.
    for fraction in (0.1, 0.5, 0.8):
        shares = [
            order.source_of(int(fraction * total), total // 10).mean()
            for order, total in ((short, 6_400), (long, 64_000))
        ]
        assert abs(shares[0] - shares[1]) < 0.005
