import pytest

from smidgen.reports import words
from smidgen.reports.words import NO_BREAK


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (512, "512"),
        (999, "999"),
        (1_000, "1k"),
        (39_100, "39.1k"),
        (999_400, "999k"),
        (999_600, "1M"),
        (1_034_240, "1.03M"),
        (9_830_400, "9.83M"),
        (25_000_000_000, "25B"),
        (1.5e12, "1.5T"),
    ],
)
def test_counts_have_three_digits_and_a_unit(number, text):
    assert words.count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.36, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (251.7, "4 min 12 s"),
        (305, "5 min 05 s"),
        (3599.7, "1 h"),
        (7500, "2 h 05 min"),
        (86_399, "1 d"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_have_the_two_units_that_matter(seconds, text):
    assert words.duration(seconds) == text.replace(" ", NO_BREAK)


@pytest.mark.parametrize(("number", "text"), [(17, "17 B"), (2_560, "2.56 kB"), (1_212_000_000, "1.21 GB")])
def test_sizes_are_decimal(number, text):
    assert words.size(number) == text.replace(" ", NO_BREAK)


def test_lists_read_as_english():
    assert [words.listing(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_a_long_listing_is_cut():
    assert words.listing(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert words.listing(["a", "b"], 2) == "a and b"
