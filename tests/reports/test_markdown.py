import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from smidgen.reports.markdown import Markdown, block, code, escaped

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What Markdown is made of, mixed with words.
PIECE = st.sampled_from([*"\\`*_{}[]<>#|!~$&()-+=.:/ \n", "a", "b1", "http://x.y", "&amp;", "<b>"])
PIECES = st.lists(PIECE, max_size=30)


def shown_text(markdown):
    tokens = PARSER.parseInline(markdown)[0].children
    assert {token.type for token in tokens} <= {"text", "text_special", "softbreak"}, tokens
    return "".join(token.content for token in tokens)


@given(PIECES)
def test_escaped_text_comes_back_as_it_was_but_for_blanks(pieces):
    text = "".join(pieces)
    assert shown_text(escaped(text)).split() == text.split()


@given(PIECES)
def test_a_block_comes_back_to_the_letter(pieces):
    text = "".join(pieces)
    (token,) = PARSER.parse(block(text))
    assert token.type == "fence"
    assert token.content == f"{text}\n"


@given(PIECES)
def test_inline_code_is_one_piece_of_code(pieces):
    text = "".join(pieces)
    tokens = PARSER.parseInline(code(text))[0].children
    assert [token.type for token in tokens] == (["code_inline"] if text.split() else [])


def test_markdown_is_not_escaped_twice():
    assert escaped(escaped("a_b")) == "a\\_b"
    assert isinstance(escaped("a"), Markdown)


@pytest.mark.parametrize("address", ["http://x.example", "HTTPS://x.example", "www.x.example", "me@x.example"])
def test_bare_addresses_do_not_become_links(address):
    written = escaped(f"see {address}")
    assert address not in written
    assert shown_text(written) == f"see {address}"
