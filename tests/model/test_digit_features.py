import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.model.digit_features import DigitFeatures, Role, TokenClass, place_ids, role_ids, token_classes

from .small_models import DIGIT_TOKEN_IDS, DIGITS, farthest, small_config

CLASS_OF = {
    **dict.fromkeys("0123456789", TokenClass.DIGIT),
    **dict.fromkeys("+*/", TokenClass.OPERATOR),
    "-": TokenClass.MINUS,
    "(": TokenClass.OPEN,
    ")": TokenClass.CLOSE,
    "=": TokenClass.EQUALS,
    " ": TokenClass.SPACE,
    "\n": TokenClass.LINE_START,
    "a": TokenClass.OTHER,
}
ROLE_LETTERS = dict(zip(".12345os()=r", Role, strict=True))
LETTER_OF = {role: letter for letter, role in ROLE_LETTERS.items()}


def classes(text):
    return [CLASS_OF.get(character, TokenClass.OTHER) for character in text]


def roles_of(text):
    """One letter a token: . none, 1 to 5 operands, o operator, s sign, ( ) =, r result."""
    return "".join(LETTER_OF[Role(role)] for role in role_ids(torch.tensor([classes(text)]))[0].tolist())


def places_of(text):
    return place_ids(torch.tensor([classes(text)]))[0].tolist()


class Line:
    """The state of a reader of one line, a token at a time: an oracle that shares nothing with the code."""

    def __init__(self):
        self.broken = False
        self.operand_due = True
        self.signed = False
        self.in_digits = False
        self.depth = 0
        self.operand = 1
        self.past_equals = False

    def read(self, token):
        if self.broken or not self.allows(token):
            self.broken = True
            return Role.NONE
        role = self.role(token)
        self.advance(token)
        return role

    def allows(self, token):
        match token:
            case TokenClass.SPACE:
                return True
            case TokenClass.DIGIT:
                return self.operand_due or self.in_digits
            case TokenClass.MINUS if self.operand_due:
                return not self.signed
            case TokenClass.MINUS | TokenClass.OPERATOR:
                return not self.operand_due and not self.past_equals
            case TokenClass.OPEN:
                return self.operand_due and not self.past_equals
            case TokenClass.CLOSE:
                return not self.operand_due and self.depth > 0 and not self.past_equals
            case TokenClass.EQUALS:
                return not self.operand_due and self.depth == 0 and not self.past_equals
        return False

    def role(self, token):
        match token:
            case TokenClass.DIGIT:
                return Role.RESULT if self.past_equals else Role(min(self.operand, 5))
            case TokenClass.MINUS if self.operand_due:
                return Role.SIGN
            case TokenClass.MINUS | TokenClass.OPERATOR:
                return Role.OPERATOR
        by_class = {TokenClass.OPEN: Role.OPEN, TokenClass.CLOSE: Role.CLOSE, TokenClass.EQUALS: Role.EQUALS}
        return by_class.get(token, Role.NONE)

    def advance(self, token):
        self.in_digits = token == TokenClass.DIGIT
        match token:
            case TokenClass.DIGIT:
                self.operand_due = self.signed = False
            case TokenClass.MINUS if self.operand_due:
                self.signed = True
            case TokenClass.MINUS | TokenClass.OPERATOR:
                self.operand_due = True
                self.operand += 1
            case TokenClass.OPEN:
                self.signed = False
                self.depth += 1
            case TokenClass.CLOSE:
                self.depth -= 1
            case TokenClass.EQUALS:
                self.operand_due = self.past_equals = True


def expected_roles(tokens):
    line, roles = Line(), []
    for token in tokens:
        if token == TokenClass.LINE_START:
            line = Line()
            roles.append(Role.NONE)
        else:
            roles.append(line.read(token))
    return roles


def expected_places(tokens):
    run, places = 0, []
    for token in tokens:
        run = run + 1 if token == TokenClass.DIGIT else 0
        places.append(min(run, 65))
    return places


def assert_as_expected(rows):
    class_BS = torch.tensor(rows)
    assert place_ids(class_BS).tolist() == [expected_places(row) for row in rows]
    assert role_ids(class_BS).tolist() == [expected_roles(row) for row in rows]


def random_side(rng, depth=0):
    blank = rng.choice(["", " "])
    operands = []
    for _ in range(rng.choice([1, 2, 2, 3, 6])):
        sign = rng.choice(["", "", "-", "- "])
        nested = depth < 2 and rng.random() < 0.25
        operands.append(sign + (f"({random_side(rng, depth + 1)})" if nested else str(rng.randrange(1000))))
    text = operands[0]
    for operand in operands[1:]:
        text += blank + rng.choice("+-*/") + blank + operand
    return text


def random_equation(rng):
    return random_side(rng) + rng.choice(["=", " = "]) + rng.choice(["", "-"]) + str(rng.randrange(1000))


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("12 + 34 = 46", "11.o.22.=.rr"),
        ("12+34=46", "11o22=rr"),
        ("(5 - -3) * 2 = 16", "(1.o.s2).o.3.=.rr"),
        ("-(5 - 3) = -2", "s(1.o.2).=.sr"),
        ("79 + (9 - 13) * 10 =", "11.o.(2.o.33).o.44.="),
        ("1 + 2 - 3 * 4 / 5 + 6 + 7 = 8", "1.o.2.o.3.o.4.o.5.o.5.o.5.=.r"),
        ("  7 = 7  ", "..1.=.r.."),
        # What breaks a line keeps it broken.
        ("in 12 + 34", ".........."),
        ("12 cats + 3", "11........."),
        ("3.5 + 1 = 4.5", "1............"),
        ("1999-12-31 was", "1111o22o33...."),
        ("1,000 + 2", "1........"),
        # A number has no blanks, and two operands have an operator between them.
        ("1 2 + 3", "1......"),
        ("2 (3)", "1...."),
        ("(3) 4", "(1).."),
        ("(3)(4)", "(1)..."),
        ("2 + 3 = 5 5", "1.o.2.=.r.."),
        # Signs and operators.
        ("--3", "s.."),
        ("- - 3", "s...."),
        ("5 - - 3", "1.o.s.2"),
        ("5 - - - 3", "1.o.s...."),
        ("5 + + 3", "1.o...."),
        ("5 - + 3", "1.o...."),
        ("+3", ".."),
        ("*3", ".."),
        ("5 -", "1.o"),
        # Parentheses.
        (")3", ".."),
        ("3)", "1."),
        ("()", "(."),
        ("(3 -)", "(1.o."),
        ("((3)", "((1)"),
        ("(3 + 4 = 7", "(1.o.2...."),
        ("((3)) = 3", "((1)).=.r"),
        # The equals sign and the result.
        ("= 3", "..."),
        ("1 = 1 = 1", "1.=.r...."),
        ("1 == 1", "1.=..."),
        ("1 + = 1", "1.o...."),
        ("1 = 2 + 3", "1.=.r...."),
        ("1 = (2)", "1.=...."),
        ("1 = - 2", "1.=.s.r"),
        ("1 = --2", "1.=.s.."),
        ("1 = 2)", "1.=.r."),
        # Lines.
        ("1 + 2 = 3\n4 * 5 = 20", "1.o.2.=.r.1.o.2.=.rr"),
        ("a 1 + 2\n(4)\n\n-5", "........(1)..s1"),
        ("(1 +\n2) = 3", "(1.o.1....."),
        ("\n\n\n12 + 3", "...11.o.2"),
    ],
)
def test_roles_of_cases_written_by_hand(text, roles):
    assert roles_of(text) == roles
    assert [LETTER_OF[role] for role in expected_roles(classes(text))] == list(roles)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("407 + 9", [1, 2, 3, 0, 0, 0, 1]),
        ("a12b3", [0, 1, 2, 0, 1]),
        ("3.14", [1, 0, 1, 2]),
        ("1 2", [1, 0, 1]),
        ("12\n34", [1, 2, 0, 1, 2]),
        ("\n\n12", [0, 0, 1, 2]),
    ],
)
def test_places_of_cases_written_by_hand(text, places):
    assert places_of(text) == places


def test_places_beyond_64_share_the_last_one():
    assert places_of("7" * 70 + "a8") == [*range(1, 65), *[65] * 6, 0, 1]
    assert set(roles_of("7" * 70)) == {"1"}


def test_every_short_sequence_of_tokens_is_read_as_the_oracle_reads_it():
    every = torch.cartesian_prod(*[torch.arange(len(TokenClass))] * 5).tolist()
    assert_as_expected(every)


def test_equations_and_damaged_equations_are_read_as_the_oracle_reads_them():
    rng, rows = random.Random(11), []
    for _ in range(4_000):
        text = list("\n".join(random_equation(rng) for _ in range(2)))
        for _ in range(rng.choice([0, 1, 1, 2])):
            text[rng.randrange(len(text))] = rng.choice(list(CLASS_OF))
        rows.append(classes(("".join(text) + "\n" * 60)[:60]))
    assert_as_expected(rows)
    assert {role for row in rows for role in expected_roles(row)} == set(Role)


def test_a_valid_equation_has_a_role_at_everything_but_blanks():
    rng = random.Random(12)
    for _ in range(300):
        text = random_equation(rng)
        assert [letter == "." for letter in roles_of(text)] == [character == " " for character in text]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TokenClass), min_size=1, max_size=80))
def test_any_sequence_of_tokens_is_read_as_the_oracle_reads_it(tokens):
    assert_as_expected([tokens])


def test_what_is_read_does_not_depend_on_what_follows():
    rng = random.Random(13)
    rows = [classes((random_equation(rng) + "\n" + random_equation(rng) + "a" * 40)[:40]) for _ in range(50)]
    class_BS = torch.tensor(rows)
    place_BS, role_BS = place_ids(class_BS), role_ids(class_BS)
    for length in range(1, 41):
        assert torch.equal(place_ids(class_BS[:, :length]), place_BS[:, :length])
        assert torch.equal(role_ids(class_BS[:, :length]), role_BS[:, :length])


def test_padding_on_the_left_changes_nothing():
    text = "12 + (3 - 4) = 11"
    padded = "\n" * 7 + text
    assert roles_of(padded) == "." * 7 + roles_of(text)
    assert places_of(padded) == [0] * 7 + places_of(text)


def test_ids_compile_to_one_graph():
    def both(class_BS):
        return place_ids(class_BS), role_ids(class_BS)

    torch.compiler.reset()
    rng = random.Random(14)
    class_BS = torch.tensor([classes(random_equation(rng).ljust(80)[:80]) for _ in range(5)])
    compiled = torch.compile(both, fullgraph=True, backend="aot_eager")(class_BS)
    for ours, expected in zip(compiled, both(class_BS), strict=True):
        assert torch.equal(ours, expected)


def test_ids_fit_their_tables():
    config = small_config(**DIGITS)
    assert config.role_vocab_size == len(Role)
    assert config.place_vocab_size == max(places_of("7" * 99)) + 1


def test_every_token_has_its_class():
    class_V = token_classes(DIGIT_TOKEN_IDS, 29).tolist()
    operator, minus = TokenClass.OPERATOR, TokenClass.MINUS
    assert class_V[:10] == [TokenClass.DIGIT] * 10
    assert class_V[10:14] == [operator, minus, operator, operator]
    assert class_V[14:17] == [TokenClass.OPEN, TokenClass.CLOSE, TokenClass.EQUALS]
    assert class_V[17:21] == [TokenClass.SPACE] * 2 + [TokenClass.LINE_START] * 2
    assert class_V[21:] == [TokenClass.OTHER] * 8


def test_without_a_tokenizer_every_token_is_another():
    assert token_classes(None, 7).tolist() == [TokenClass.OTHER] * 7


def test_the_embedding_is_the_sum_of_place_and_role():
    features = DigitFeatures(small_config(**DIGITS))
    # 19 starts a line: "12+3" has places 1 2 0 1 and roles operand 1, operand 1, operator, operand 2.
    place_SC = features.embed_place.weight[[0, 1, 2, 0, 1]]
    role_SC = features.embed_role.weight[[Role.NONE, Role.OPERAND_1, Role.OPERAND_1, Role.OPERATOR, Role.OPERAND_2]]
    assert farthest(features(torch.tensor([[19, 1, 2, 10, 3]]))[0], place_SC + role_SC) == 0
