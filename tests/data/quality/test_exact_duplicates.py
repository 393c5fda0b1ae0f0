"""Digests that came before, held against a set."""

import hashlib

import numpy as np
import pytest

from smidgen.data.quality.exact_duplicates import SeenDigests, digests


def test_a_digest_is_that_of_the_text_alone():
    expected = int.from_bytes(hashlib.blake2b("Grüße".encode(), digest_size=8).digest(), "big")
    assert digests(["Grüße"]).tolist() == [expected]
    assert digests([]).tolist() == []
    assert digests(["a", "b", "a"])[[0, 2]].tolist() == [digests(["a"])[0]] * 2


@pytest.mark.parametrize("batch", [1, 7, 1000, 100_000])
def test_new_is_what_a_set_does_not_hold(batch):
    numbers = np.random.default_rng(3).integers(0, 3_000, 5_000).astype(np.uint64)
    # Spread like digests, and as crowded as can be: all want one slot.
    for values in (numbers * np.uint64(0x9E3779B97F4A7C15), numbers[:400]):
        known, expected = set(), []
        for value in values.tolist():
            # 0 marks a free slot, so it is counted as 1: one digest in 2**64.
            expected.append((value or 1) not in known)
            known.add(value or 1)
        seen = SeenDigests()
        found = np.concatenate([seen.are_new(values[i : i + batch]) for i in range(0, len(values), batch)])
        assert found.tolist() == expected
        assert len(seen) == len(known)


def test_the_table_grows_and_forgets_nothing():
    values = np.random.default_rng(5).integers(0, 2**64, 400_000, dtype=np.uint64)
    seen = SeenDigests()
    assert seen.are_new(values).all()
    assert not seen.are_new(values[::7]).any()
    # 8 bytes a slot, a table between 37% and 75% full.
    assert 8 / 0.75 <= seen.table_bytes / len(seen) <= 8 / 0.37


def test_nothing_is_new_in_nothing():
    assert SeenDigests().are_new(np.empty(0, np.uint64)).tolist() == []
