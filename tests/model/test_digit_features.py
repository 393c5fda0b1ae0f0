import itertools
import random
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.model import digit_features
from smidgen.model.digit_features import DigitFeatures, Role, TokenClass, place_ids, role_ids, token_classes

from .small_models import DIGIT_TOKEN_IDS, DIGITS, farthest, small_config

CLASS_OF = {
    **dict.fromkeys("0123456789", TokenClass.DIGIT),
    **dict.fromkeys("+*", TokenClass.OPERATOR),
    "-": TokenClass.MINUS,
    "/": TokenClass.SLASH,
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
        self.depth = 0
        self.operand = 1
        self.past_equals = False
        # What stands directly before: "digit", "sign", "blank", "joint" (- or / between operands) or "".
        self.before = ""

    def read(self, token):
        if self.broken or not self.allows(token):
            self.broken = True
            return Role.NONE
        role = self.role(token)
        self.advance(token)
        return role

    def allows(self, token):
        if self.before == "joint":
            return token == TokenClass.SPACE
        if self.before == "sign":
            return token in (TokenClass.DIGIT, TokenClass.OPEN) and not (
                self.past_equals and token == TokenClass.OPEN
            )
        match token:
            case TokenClass.SPACE:
                return True
            case TokenClass.DIGIT:
                return self.operand_due or self.before == "digit"
            case TokenClass.MINUS if self.operand_due:
                return True
            case TokenClass.MINUS | TokenClass.SLASH:
                return not self.operand_due and not self.past_equals and self.before == "blank"
            case TokenClass.OPERATOR:
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
            case TokenClass.MINUS | TokenClass.SLASH | TokenClass.OPERATOR:
                return Role.OPERATOR
        by_class = {TokenClass.OPEN: Role.OPEN, TokenClass.CLOSE: Role.CLOSE, TokenClass.EQUALS: Role.EQUALS}
        return by_class.get(token, Role.NONE)

    def advance(self, token):
        match token:
            case TokenClass.SPACE:
                self.before = "blank"
                return
            case TokenClass.DIGIT:
                self.operand_due, self.before = False, "digit"
                return
            case TokenClass.MINUS if self.operand_due:
                self.before = "sign"
                return
            case TokenClass.MINUS | TokenClass.SLASH:
                self.operand_due, self.before = True, "joint"
                self.operand += 1
                return
            case TokenClass.OPERATOR:
                self.operand_due = True
                self.operand += 1
            case TokenClass.OPEN:
                self.depth += 1
            case TokenClass.CLOSE:
                self.depth -= 1
            case TokenClass.EQUALS:
                self.operand_due = self.past_equals = True
        self.before = ""


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
    operands = []
    for _ in range(rng.choice([1, 2, 2, 3, 6])):
        nested = depth < 2 and rng.random() < 0.25
        inner = rng.choice(["", "", " "])
        number = f"({inner}{random_side(rng, depth + 1)}{inner})" if nested else str(rng.randrange(1000))
        operands.append(rng.choice(["", "", "-"]) + number)
    text = operands[0]
    for operand in operands[1:]:
        text += rng.choice([" + ", " - ", " * ", " / ", "+", "*", "  -  ", "+ "]) + operand
    return text


def random_equation(rng):
    return f"{random_side(rng)}{rng.choice([' = ', ' = ', '=', '  ='])}{rng.choice(['', '-'])}{rng.randrange(1000)}"


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("12 + 34 = 46", "11.o.22.=.rr"),
        ("(5 - -3) * 2 = 16", "(1.o.s2).o.3.=.rr"),
        ("-(5 - 3) = -2", "s(1.o.2).=.sr"),
        ("79 + (9 - 13) * 10 =", "11.o.(2.o.33).o.44.="),
        ("1 + 2 - 3 * 4 / 5 + 6 + 7 = 8", "1.o.2.o.3.o.4.o.5.o.5.o.5.=.r"),
        ("  7 = 7  ", "..1.=.r.."),
        ("( 1  +  2 ) = 3", "(.1..o..2.).=.r"),
        # What breaks a line keeps it broken.
        ("in 12 + 34", ".........."),
        ("12 cats + 3", "11........."),
        ("3.5 + 1 = 4.5", "1............"),
        ("1,000 + 2", "1........"),
        # Dates, times, versions, ranges, fractions and telephone numbers have no blanks around their signs.
        ("1999-12-31 was", "1111.........."),
        ("12/31/1999", "11........"),
        ("12:30 - 14:00", "11..........."),
        ("10-20 people", "11.........."),
        ("1/2 cup", "1......"),
        ("555-1234", "111....."),
        ("+49 30 1234", "..........."),
        ("on 1999-12-31", "............."),
        ("7-3 = 4", "1......"),
        ("7 -3 = 4", "1.o....."),
        ("7- 3 = 4", "1......."),
        ("8 /2 = 4", "1.o....."),
        # The other signs may do without.
        ("12+34=46", "11o22=rr"),
        ("12 +34= 46", "11.o22=.rr"),
        ("5+-3*(-2)=11", "1os2o(s3)=rr"),
        ("5--3", "1..."),
        # A number has no blanks, and two operands have an operator between them.
        ("1 2 + 3", "1......"),
        ("2 (3)", "1...."),
        ("(3) 4", "(1).."),
        ("(3)(4)", "(1)..."),
        ("2 + 3 = 5 5", "1.o.2.=.r.."),
        # Signs and operators.
        ("--3", "s.."),
        ("- 3", "s.."),
        ("5 - -3", "1.o.s2"),
        ("5 - --3", "1.o.s.."),
        ("5 - - 3", "1.o.s.."),
        ("5 + + 3", "1.o...."),
        ("5 - + 3", "1.o...."),
        ("5 -- 3", "1.o..."),
        ("5 /- 3", "1.o..."),
        ("+3", ".."),
        ("*3", ".."),
        ("- 12 eggs", "s........"),
        ("* 12 eggs", "........."),
        ("5 -", "1.o"),
        # Parentheses.
        (")3", ".."),
        ("3)", "1."),
        ("()", "(."),
        ("(3 - )", "(1.o.."),
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
        ("1 = -2", "1.=.sr"),
        ("1 = - 2", "1.=.s.."),
        ("1 = -(2)", "1.=.s..."),
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
    for _ in range(10_000):
        text = list("\n".join(random_equation(rng) for _ in range(2)))
        for _ in range(rng.choice([0, 1, 1, 2])):
            text[rng.randrange(len(text))] = rng.choice(list(CLASS_OF))
        rows.append(classes(("".join(text) + "\n" * 60)[:60]))
    assert_as_expected(rows)
    assert {role for row in rows for role in expected_roles(row)} == set(Role)


def test_random_lines_are_read_as_the_oracle_reads_them():
    rng = random.Random(15)
    assert_as_expected([rng.choices(list(TokenClass), k=40) for _ in range(10_000)])
    # Nearly all of those break at once; lines of what equations are made of live longer.
    parts = ["1", "23", " ", " ", " + ", " - ", "-", "(", ")", " = ", "\n"]
    rows = [classes(("".join(rng.choices(parts, k=30)) + "\n" * 40)[:40]) for _ in range(20_000)]
    assert_as_expected(rows)


def is_equation(line):
    """By the grammar alone: parentheses are replaced by what they stand for until none is left."""
    left, equals, right = line.partition("=")
    if not equals or not re.fullmatch(" *-?[0-9]+ *", right):
        return False
    reduced = re.sub("[0-9]+", "n", left)
    while (shorter := re.sub(rf"\( *{SIDE} *\)", "n", reduced)) != reduced:
        reduced = shorter
    return re.fullmatch(f" *{SIDE} *", reduced) is not None


SIDE = "-?n(?:(?: +[-/] +| *[+*] *)-?n)*"
# Among these is one that ends every line of up to five characters that can still become an equation.
ENDINGS = [
    start + operand + ")" * depth + end
    for start in ("", " ")
    for operand in ("", "1")
    for depth in range(6)
    for end in ("", " = 1", "= 1")
]


def test_a_line_has_roles_exactly_as_long_as_it_can_become_an_equation():
    for length in range(1, 6):
        lines = ["".join(line) for line in itertools.product("1-+()= ", repeat=length)]
        role_BS = role_ids(torch.tensor([classes(line) for line in lines])).tolist()
        alive = {line for line in lines if any(is_equation(line + ending) for ending in ENDINGS)}
        assert 0 < len(alive) < len(lines)
        for line, roles in zip(lines, role_BS, strict=True):
            # Blanks never have a role, so a line of blanks says nothing.
            if not line.endswith(" "):
                assert (roles[-1] != Role.NONE) == (line in alive), line


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


@pytest.mark.parametrize("padding", [7, 10, 17, 28])
def test_padding_starts_a_line_whatever_its_ids_are(padding):
    features = DigitFeatures(small_config(**DIGITS))
    text = [1, 2, 17, 10, 17, 14, 3, 17, 11, 17, 4, 15, 17, 16, 17, 1, 1]
    ids_BS = torch.tensor([[padding] * 6 + text, [*text[:6], *text]])
    mask_BS = torch.tensor([[0] * 6 + [1] * 17, [1] * 23])
    features_BSC = features(ids_BS, mask_BS)
    assert torch.equal(features_BSC[:1, 6:], features(torch.tensor([text])))
    assert torch.equal(features_BSC[1:], features(ids_BS[1:]))
    assert not torch.equal(features(ids_BS)[:1, 6:], features_BSC[:1, 6:]) or padding == 17


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
    operator, minus, slash = TokenClass.OPERATOR, TokenClass.MINUS, TokenClass.SLASH
    assert class_V[:10] == [TokenClass.DIGIT] * 10
    assert class_V[10:14] == [operator, minus, operator, slash]
    assert class_V[14:17] == [TokenClass.OPEN, TokenClass.CLOSE, TokenClass.EQUALS]
    assert class_V[17:21] == [TokenClass.SPACE] * 2 + [TokenClass.LINE_START] * 2
    assert class_V[21:] == [TokenClass.OTHER] * 8


def test_without_a_tokenizer_every_token_is_another():
    assert token_classes(None, 7).tolist() == [TokenClass.OTHER] * 7


def test_the_embedding_is_the_sum_of_place_and_role():
    features = DigitFeatures(small_config(**DIGITS))
    # 19 starts a line, 17 is a blank: "12 + 3".
    place_SC = features.embed_place.weight[[0, 1, 2, 0, 0, 0, 1]]
    roles = ["NONE", "OPERAND_1", "OPERAND_1", "NONE", "OPERATOR", "NONE", "OPERAND_2"]
    role_SC = features.embed_role.weight[[Role[role] for role in roles]]
    assert farthest(features(torch.tensor([[19, 1, 2, 17, 10, 17, 3]]))[0], place_SC + role_SC) == 0


def documented_rows(header):
    """The cells of a table of docs/tokenizers.md, without the signs of code."""
    page = (Path(__file__).parents[2] / "docs" / "tokenizers.md").read_text(encoding="utf-8")
    lines = page.partition(header)[2].splitlines()[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def test_documented_examples_are_true():
    rows = documented_rows("| line | roles | places |")
    assert len(rows) > 15
    for line, roles, places in rows:
        assert roles_of(line) == roles, line
        assert "".join(str(place) if place else "." for place in places_of(line)) == places, line


def test_documented_roles_are_those_there_are():
    rows = documented_rows("| role | | letter below |")
    assert [(int(number), name.split(":")[0].split()[0], letter) for number, name, letter in rows] == [
        (role.value, role.name, LETTER_OF[role]) for role in Role
    ]


def test_the_documented_grammar_is_that_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "tokenizers.md").read_text(encoding="utf-8")
    [grammar] = re.findall(r"```\n(equation = .*?)```", page, re.DOTALL)
    assert all(f"    {line}\n" in digit_features.__doc__ for line in grammar.splitlines())
