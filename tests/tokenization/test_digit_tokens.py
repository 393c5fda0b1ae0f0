import itertools

import pytest
import torch

from smidgen.model.digit_features import Role, TokenClass, place_ids, role_ids, token_classes
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization import digit_tokens
from smidgen.tokenization.text_rules import CLOSING
from smidgen.tokenization.training import train_tokenizer

from .sample_text import sample_texts


def texts_of(tokenizer, ids):
    return [tokenizer.content(token_id)[0].decode() for token_id in ids]


def test_symbols_are_found_in_order(trained):
    tokenizer = trained["arithmetic"]
    ids = tokenizer.digit_token_ids()
    assert texts_of(tokenizer, ids.digits) == list("0123456789")
    assert texts_of(tokenizer, ids.operators) == list("+-*/")
    assert texts_of(tokenizer, [ids.open_parenthesis, ids.close_parenthesis, ids.equals]) == ["(", ")", "="]


def test_closing_digits_are_those_of_a_tokenizer_that_closes_numbers(trained):
    tokenizer = trained["closing"]
    ids = tokenizer.digit_token_ids()
    assert texts_of(tokenizer, ids.closing) == list(CLOSING)
    assert tokenizer.encode("14 4") == [ids.digits[4], ids.closing[1], *tokenizer.encode(" "), ids.closing[4]]
    assert trained["arithmetic"].digit_token_ids().closing == ()


@pytest.mark.parametrize("kind", ["closing", "everything closing"])
def test_no_number_begins_as_another_does(trained, kind):
    """Sorted, a beginning stands right before what it is the beginning of."""
    numbers = [*map(str, range(10_000)), "007", "0", "00", *("1" * length for length in range(60, 70))]
    written = sorted({number: tuple(trained[kind].encode(number)) for number in numbers}.values())
    assert len(set(written)) == len(set(numbers))
    assert not [one for one, next_one in itertools.pairwise(written) if next_one[: len(one)] == one]
    assert {len(ids) for ids in written} == set(map(len, numbers))


@pytest.mark.parametrize("text", ["12 + 34 = 46\n(7 - 10) * 3 = -9\n", "On 2026-11-21 3 cats", "1 = 1", "5" * 70])
def test_closing_changes_no_place_and_no_role(trained, text):
    def features(kind):
        tokenizer = trained[kind]
        class_1S = token_classes(tokenizer.digit_token_ids(), tokenizer.vocab_size)[
            torch.tensor([tokenizer.encode(text)])
        ]
        contents = ["digit" if tokenizer.decode([token_id]).isdigit() else "" for token_id in tokenizer.encode(text)]
        kept = [place for place, content in enumerate(contents) if content]
        return place_ids(class_1S)[0, kept].tolist(), role_ids(class_1S)[0, kept].tolist()

    assert features("closing") == features("arithmetic")


def test_blanks_and_line_starts_are_all_tokens_of_whitespace_and_control_tokens_but_unk(trained):
    tokenizer = trained["arithmetic"]
    ids = tokenizer.digit_token_ids()
    special = tokenizer.special_ids
    starting = {special[name] for name in ("pad", "bos", "eos", "end_of_text")}
    assert starting < set(ids.line_starts)
    assert special["unk"] not in (*ids.line_starts, *ids.spaces)
    ordinary = [tokenizer.content(i)[0] for i in range(len(special), tokenizer.vocab_size)]
    whitespace = {content for content in ordinary if content.decode(errors="replace").isspace()}
    found = {tokenizer.content(i)[0] for i in {*ids.spaces, *ids.line_starts} - starting}
    assert found == whitespace
    assert {b" ", b"\t"} <= {tokenizer.content(i)[0] for i in ids.spaces}
    assert {b"\n", b"\r"} <= {tokenizer.content(i)[0] for i in ids.line_starts}
    assert not any(b"\n" in tokenizer.content(i)[0] for i in ids.spaces)


def test_a_line_break_with_blanks_behind_it_starts_a_line():
    symbols = [symbol.encode() for symbol in "0123456789+-*/()="]
    ids = digit_tokens.find([b"<end>", *symbols, b" ", b"\n  ", b"\xc2"], first_ordinary=1, line_starting=[0])
    assert ids.spaces == (18,)
    assert ids.line_starts == (0, 19)


def test_without_tokens_of_their_own_for_all_symbols_there_are_no_digit_features(trained):
    assert trained["plain"].digit_token_ids() is None
    # Digits are single here, but " (" is a token.
    assert trained["single digits"].digit_token_ids() is None


def test_digits_and_operators_alone_are_enough():
    settings = TokenizerSettings(digits="single", isolate_operators=True)
    assert train_tokenizer(sample_texts(50), settings, 400).digit_token_ids() is not None


@pytest.mark.parametrize("kind", ["arithmetic", "everything", "closing"])
@pytest.mark.parametrize(
    ("text", "numbers_have_roles"),
    [
        ("12 + (340 - 5) * 6 = 2022", True),
        ("\n  12 + 34 = 46\n7 - 9 = -2", True),
        ("<|endoftext|>", False),
        ("On 2026-11-21, 3.14 + 2 = 5.14 at 12:30.", False),
        ("The sum is 12 + 34 = 46", False),
        ("\tv1.2.3 has 1,000 parts", False),
    ],
)
def test_numbers_have_roles_in_equations_and_not_in_prose(trained, kind, text, numbers_have_roles):
    tokenizer = trained[kind]
    class_V = token_classes(tokenizer.digit_token_ids(), tokenizer.vocab_size)
    class_1S = class_V[torch.tensor([tokenizer.encode(text)])]
    role_1S = role_ids(class_1S)
    if numbers_have_roles:
        without_1S = (class_1S == TokenClass.SPACE) | (class_1S == TokenClass.LINE_START)
        assert torch.equal(role_1S == Role.NONE, without_1S)
    else:
        assert not role_1S.any()
