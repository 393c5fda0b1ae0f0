import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.splits import Splits


def pieces(text, **flags):
    return [text[start:end] for _, (start, end) in Splits(**flags).pre_tokenizer().pre_tokenize_str(text)]


@pytest.mark.parametrize(
    ("flags", "text", "expected"),
    [
        ({}, "It's 12+34 (a) \n\n b", ["It", "'s", " 12", "+", "34", " (", "a", ")", " \n\n", " b"]),
        ({"digits": True}, "x12 34٣4", ["x", "1", "2", " ", "3", "4", "٣", "4"]),
        ({"operators": True}, "a ==(b)--c", ["a", " ", "=", "=", "(", "b", ")", "-", "-", "c"]),
        ({"whitespace": True}, "a  b \n\n c\r\n", ["a", "  ", "b", " ", "\n\n", " ", "c", "\r\n"]),
        ({"digits": True, "closing": True}, "4\x12 \x1b\x1c!", ["4", "\x12", " ", "\x1b", "\x1c!"]),
        ({}, " \x12\x1b!", [" \x12\x1b!"]),
        (
            {"digits": True, "operators": True, "whitespace": True},
            "\n12 + 3=15\t",
            ["\n", "1", "2", " ", "+", " ", "3", "=", "1", "5", "\t"],
        ),
    ],
)
def test_text_is_cut_where_the_settings_say(flags, text, expected):
    assert pieces(text, **flags) == expected


def test_cuts_without_options_are_those_that_gguf_knows_by_name():
    assert type(Splits().pre_tokenizer()).__name__ == "ByteLevel"
    single = [type(part).__name__ for part in Splits(digits=True).pre_tokenizer()]
    assert single == ["Digits", "ByteLevel"]


def test_splits_follow_the_settings_of_the_recipe():
    assert Splits.of(TokenizerSettings()) == Splits()
    assert Splits.of(TokenizerSettings(digits="single")) == Splits(digits=True)
    assert Splits.of(TokenizerSettings(digits="reversed")) == Splits(digits=True)
    assert Splits.of(TokenizerSettings(digits="single", close_numbers=True)) == Splits(digits=True, closing=True)
    assert Splits.of(TokenizerSettings(isolate_operators=True)) == Splits(operators=True)
    assert Splits.of(TokenizerSettings(isolate_whitespace=True)) == Splits(whitespace=True)
