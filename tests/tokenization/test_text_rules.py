import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.tokenization.text_rules import (
    ALLCAPS,
    CLOSING,
    ESCAPE,
    MOST_CAPITALS,
    MOST_DIGITS,
    TITLE,
    StreamingInverse,
    TextRules,
    reverse_digits,
)

CASE = TextRules(map_case=True)
BOTH = TextRules(reverse_digits=True, map_case=True)
CLOSED = TextRules(reverse_digits=True, close_numbers=True)
ALL = TextRules(reverse_digits=True, map_case=True, close_numbers=True)
EVERY_RULES = [
    TextRules(reverse_digits=digits, map_case=case, close_numbers=close)
    for digits, case, close in itertools.product((False, True), repeat=3)
]
# Few characters, so that the awkward neighbours meet; surrogates are characters to Python.
AWKWARD = st.text(
    alphabet=f"abAB 019.é\n٣\u212a\ud800!_^#@{TITLE}{ALLCAPS}{ESCAPE}{CLOSING[1]}{CLOSING[9]}", max_size=30
)
# Around the limits of both rules.
LONG = st.lists(
    st.one_of(
        st.sampled_from(["a", "B", " ", TITLE, ALLCAPS, ESCAPE, *CLOSING]),
        st.integers(MOST_DIGITS - 2, MOST_DIGITS + 2).map(lambda length: ("1234567890" * 9)[:length]),
        st.integers(MOST_CAPITALS - 2, MOST_CAPITALS + 2).map(lambda length: "A" * length),
        st.integers(MOST_CAPITALS - 2, MOST_CAPITALS + 2).map(lambda length: ALLCAPS + "a" * length),
    ),
    max_size=5,
).map("".join)
ANY_TEXT = st.one_of(AWKWARD, LONG, st.text(alphabet=st.characters(), max_size=30))


@pytest.mark.parametrize(
    ("text", "reversed_text"),
    [
        ("104", "401"),
        ("a12b345", "a21b543"),
        ("007", "700"),
        ("3.14, 1,000", "3.41, 1,000"),
        ("1 + 23 = 24", "1 + 32 = 42"),
        ("٣٤ ३४ ３４ ²³", "٣٤ ३४ ３４ ²³"),
        ("12٣45", "21٣54"),
        ("", ""),
        ("12" * 32, "21" * 32),
        ("12" * 32 + "3", "12" * 32 + "3"),
        ("1" * 65 + " 12", "1" * 65 + " 21"),
    ],
)
def test_every_run_of_up_to_64_ascii_digits_is_turned_round_and_nothing_else(text, reversed_text):
    assert reverse_digits(text) == reversed_text


@pytest.mark.parametrize(
    ("text", "mapped"),
    [
        ("The NASA Launch", f"{TITLE}the{ALLCAPS} nasa{TITLE} launch"),
        ("the end", "the end"),
        ("I am A B", f"{TITLE}i am{TITLE} a{TITLE} b"),
        ("iPhone", f"i{TITLE}phone"),
        (" iPhone", f" i{TITLE}phone"),
        ("by McDonald", f"by{TITLE} mc{TITLE}donald"),
        ("iOS", f"i{ALLCAPS}os"),
        ("McDONALD", f"{TITLE}mc{ALLCAPS}donald"),
        ("an HTMLParser", f"an{ALLCAPS} html{TITLE}parser"),
        ("NASAs", f"{ALLCAPS}nas{TITLE}as"),
        ("IDs, ABc", f"{TITLE}i{TITLE}ds,{TITLE} a{TITLE}bc"),
        (" " + "A" * 32, f"{ALLCAPS} " + "a" * 32),
        (" " + "A" * 34, f"{TITLE} a{TITLE}a{ALLCAPS}" + "a" * 32),
        ("A" * 33 + "b", ALLCAPS + "a" * 32 + f"{TITLE}ab"),
        ("two  Blanks\nAnd", f"two {TITLE} blanks\n{TITLE}and"),
        ("X1Yz", f"{TITLE}x1{TITLE}yz"),
        ("ÉCOLE İß", f"É{ALLCAPS}cole İß"),
        ("\u212a ſ ǅ \u2126", "\u212a ſ ǅ \u2126"),
        (f"a{TITLE}b{ESCAPE}", f"a{ESCAPE}^b{ESCAPE}!"),
        (f"{ALLCAPS} The", f"{ESCAPE}_{TITLE} the"),
    ],
)
def test_capitals_become_markers_before_the_blank_of_their_run(text, mapped):
    assert CASE.apply(text) == mapped
    assert CASE.invert(mapped) == text


@given(ANY_TEXT)
def test_no_ascii_capital_is_left(text):
    assert not any("A" <= character <= "Z" for character in CASE.apply(text))


@given(ANY_TEXT)
def test_reversing_digits_twice_changes_nothing(text):
    assert reverse_digits(reverse_digits(text)) == text


def closing(digit):
    return CLOSING[int(digit)]


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("4", closing(4)),
        ("14", "4" + closing(1)),
        ("104 a0", "40" + closing(1) + " a" + closing(0)),
        ("3.14", closing(3) + ".4" + closing(1)),
        ("٣4", "٣" + closing(4)),
        ("12" * 32, "21" * 31 + "2" + closing(1)),
        ("12" * 32 + "3", "12" * 32 + closing(3)),
        (closing(0), ESCAPE + '"'),
        ("12" + closing(9), "2" + closing(1) + ESCAPE + "@"),
        (f"1{ESCAPE}2", closing(1) + ESCAPE + "!" + closing(2)),
        (f"{TITLE}The{ALLCAPS}", f"{TITLE}The{ALLCAPS}"),
    ],
)
def test_the_digit_of_a_number_that_is_written_last_becomes_its_closing_mark(text, closed):
    assert CLOSED.apply(text) == closed
    assert CLOSED.invert(closed) == text


def test_digits_in_their_order_are_closed_at_the_lowest():
    assert TextRules(close_numbers=True).apply("12 345") == "1" + closing(2) + " 34" + closing(5)


def test_one_table_of_escapes_serves_both_rules_that_need_one():
    text = f"A{TITLE}{ESCAPE}{CLOSING[2]}"
    assert ALL.apply(text) == f"{TITLE}a{ESCAPE}^{ESCAPE}!{ESCAPE}%"
    signs = "".join(ALL.escaped.values())
    assert len(set(signs)) == len(signs) == 13
    assert not set(signs) & set("~'+-*/=() ")
    assert not any(map(str.isalnum, signs))


@pytest.mark.parametrize("rules", [CLOSED, ALL, TextRules(close_numbers=True)], ids=str)
def test_every_number_of_up_to_five_digits_comes_back_and_ends_in_its_only_mark(rules):
    numbers = ["".join(digits) for length in range(1, 6) for digits in itertools.product("0123456789", repeat=length)]
    for number in numbers:
        written = rules.apply(number)
        assert rules.invert(written) == number
        assert [place for place, character in enumerate(written) if character in CLOSING] == [len(number) - 1]


def test_plain_data_of_rules_names_only_what_is_on_of_those_that_came_later():
    assert BOTH.as_dict() == {"reverse_digits": True, "map_case": True}
    for rules in EVERY_RULES:
        assert TextRules(**rules.as_dict()) == rules


@pytest.mark.parametrize("rules", EVERY_RULES, ids=str)
@given(text=ANY_TEXT)
@settings(max_examples=300)
def test_rules_are_undone_on_any_text(rules, text):
    assert rules.invert(rules.apply(text)) == text


def test_rules_are_undone_on_every_short_text_of_awkward_characters():
    characters = f"aBC 1{TITLE}{ALLCAPS}{ESCAPE}"
    texts = ["".join(text) for length in range(6) for text in itertools.product(characters, repeat=length)]
    assert len(texts) == 37449
    assert [text for text in texts if BOTH.invert(BOTH.apply(text)) != text] == []


@pytest.mark.parametrize("rules", [CLOSED, ALL], ids=str)
def test_closing_is_undone_on_every_short_text_of_awkward_characters(rules):
    characters = f"aB1#{TITLE}{ESCAPE}{CLOSING[0]}{CLOSING[1]}"
    texts = ["".join(text) for length in range(6) for text in itertools.product(characters, repeat=length)]
    assert [text for text in texts if rules.invert(rules.apply(text)) != text] == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (TITLE, ""),
        (f"{TITLE} ", " "),
        (f"{TITLE}{ALLCAPS}a", "A"),
        (f"{ALLCAPS} 12{ESCAPE}", " 21"),
        (f"1{TITLE}2", "12"),
        (f"{ESCAPE}a", "a"),
        (f"{ALLCAPS}aBc d", "ABC d"),
        (f"{TITLE}{ESCAPE}a", "a"),
        (ALLCAPS + "a" * 34, "A" * 32 + "aa"),
    ],
)
def test_markers_that_no_text_would_have_disappear(written, read):
    assert BOTH.invert(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (CLOSING[1] + CLOSING[2], "21"),
        ("3" + CLOSING[1] + "2", "213"),
        (f"{ESCAPE}{CLOSING[4]}", "4"),
        (f"{ESCAPE}^{ESCAPE}#", f"^{CLOSING[1]}"),
        (f"2{ESCAPE}{CLOSING[1]}", "21"),
    ],
)
def test_marks_and_escapes_that_no_text_would_have_are_digits_and_nothing(written, read):
    assert CLOSED.invert(written) == read


@pytest.mark.parametrize("rules", EVERY_RULES, ids=str)
@given(text=ANY_TEXT)
def test_text_that_arrives_in_two_parts_reads_the_same_wherever_it_is_cut(rules, text):
    for cut in range(len(text) + 1):
        inverse = StreamingInverse(rules)
        parts = [inverse.push(text[:cut]), inverse.push(text[cut:]), inverse.flush()]
        assert "".join(parts) == rules.invert(text)


@pytest.mark.parametrize("rules", EVERY_RULES, ids=str)
@given(texts=st.lists(ANY_TEXT, max_size=3))
def test_text_that_arrives_by_the_character_reads_the_same_and_a_flush_begins_anew(rules, texts):
    inverse = StreamingInverse(rules)
    read = ["".join([*map(inverse.push, text), inverse.flush()]) for text in texts]
    assert read == [rules.invert(text) for text in texts]


def test_streaming_holds_back_no_more_than_64_digits():
    inverse = StreamingInverse(BOTH)
    assert [inverse.push("1") for _ in range(64)] == [""] * 64
    assert inverse.push("2") == "1" * 64 + "2"
    assert [inverse.push(part) for part in ("3", "4.", "12")] == ["3", "4.", ""]
    assert inverse.flush() == "21"


def test_streaming_holds_back_only_what_may_still_change():
    inverse = StreamingInverse(BOTH)
    assert [inverse.push(part) for part in ("a1", "2", " b", TITLE, " ", "c", ALLCAPS, "d", "e", ".", "3")] == [
        *("a", "", "21 b"),
        *("", "", " C"),
        *("", "D", "E", "."),
        "",
    ]
    assert inverse.flush() == "3"


def test_streaming_shows_a_closed_number_when_something_else_follows():
    inverse = StreamingInverse(CLOSED)
    assert [inverse.push(part) for part in ("4", CLOSING[1], " ", CLOSING[7], ESCAPE, "#", ESCAPE)] == [
        *("", "", "14 ", ""),
        *("7", CLOSING[1], ""),
    ]
    assert inverse.flush() == ""


@pytest.mark.parametrize("rules", [BOTH, ALL], ids=str)
@pytest.mark.parametrize(
    "unit", ["a", "A", "aA", " ", "1", "1 ", "Aa ", TITLE, ESCAPE, CLOSING[3], f"{ALLCAPS} ", "é"]
)
def test_a_megabyte_of_the_same_is_rewritten_in_linear_time(unit, rules):
    text = unit * (1_000_000 // len(unit))
    before = time.process_time()
    mapped = rules.apply(text)
    assert rules.invert(mapped) == text
    assert time.process_time() - before < 2
