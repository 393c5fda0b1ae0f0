import itertools
import random

import pytest

from smidgen.serving.stop_strings import StopStrings


def through(text, stops, cuts):
    """The parts handed on when the text comes cut at these places, and whether a string was found."""
    finder = StopStrings(stops)
    places = [0, *cuts, len(text)]
    parts = [finder.push(text[start:end]) for start, end in itertools.pairwise(places)]
    return [*parts, finder.flush()], finder.found


def cut_off(text, stops):
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=len(text))]


def test_a_text_ends_before_the_first_of_the_strings():
    parts, found = through("one two three", ["three", "two"], [])
    assert ("".join(parts), found) == ("one ", True)


def test_what_may_begin_a_string_is_held_back_until_it_does_not():
    finder = StopStrings(["END."])
    assert [finder.push(part) for part in ("so E", "N", "D", "!")] == ["so ", "", "", "END!"]


def test_held_text_is_given_when_no_more_comes():
    finder = StopStrings(["END."])
    assert finder.push("the EN") + finder.flush() == "the EN"


def test_nothing_follows_a_string_that_was_found():
    finder = StopStrings(["."])
    assert [finder.push("a."), finder.push("b"), finder.flush()] == ["a", "", ""]


def test_without_strings_everything_passes_at_once():
    finder = StopStrings([])
    assert [finder.push("a"), finder.push("b"), finder.flush(), finder.found] == ["a", "b", "", False]


@pytest.mark.parametrize("seed", range(300))
def test_where_the_text_is_cut_changes_nothing(seed):
    chance = random.Random(seed)
    text = "".join(chance.choices("abc", k=chance.randrange(12)))
    stops = ["".join(chance.choices("abc", k=chance.randrange(1, 5))) for _ in range(chance.randrange(1, 4))]
    cuts = sorted(chance.choices(range(len(text) + 1), k=chance.randrange(5)))
    parts, found = through(text, stops, cuts)
    assert ("".join(parts), found) == (cut_off(text, stops), cut_off(text, stops) != text)
