import pytest

from smidgen.reports.stored.tokenizer import TokenizerQuality
from smidgen.reports.tokenizers import spending
from smidgen.tokenization.quality.token_kind import TokenKind

SPENT = {"letters": {"tokens": 0.75, "bytes": 0.9}, "digits": {"tokens": 0.25, "bytes": 0.1}}


def test_a_bar_is_as_long_as_the_tokens_of_a_thousand_bytes():
    row = spending.spending_row("tales", SPENT, 4.0)
    assert row.length == pytest.approx(250)
    assert (row.label, row.words) == ("tales", "250")
    assert row.segments[1].tip == "tales\ndigits: 25.0% of tokens, 10.0% of bytes"


def test_every_kind_has_a_colour_of_its_own():
    assert len({spending.colour_of(kind) for kind in TokenKind}) == len(TokenKind)


def test_the_key_names_what_occurs_in_a_fixed_order():
    assert spending.kinds_in([{"digits": {}}, SPENT]) == [("letters", "s1"), ("digits", spending.colour_of("digits"))]


def test_domains_without_tokens_have_no_bar():
    quality = TokenizerQuality(
        vocab_size=300,
        bytes_per_token={"tales": 4.0, "nothing": 0.0},
        unused=None,
        rare=None,
        roundtrip_failures=None,
        longest_tokens=(),
        spent_by_domain={"tales": SPENT, "nothing": {}, "unknown": SPENT},
    )
    assert [row.label for row in spending.rows_of(quality)] == ["tales"]
    assert spending.rows_of(None) == []
