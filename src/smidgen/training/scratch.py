"""What an operand's digits and the tokens behind it are made to predict: digits of the expression's value so far.

A model that writes an answer at once has to find the values in between first. Nobody asks for those in the text, so
that it learns them from the error of the answer alone. But what follows an operand (a blank, an operator, a blank) is
read and predicts nothing of use: there the digits of the value so far, the least significant first, take the place of
the next token as the target. Where the tokenizer writes digits in that order too, an operand's own digits serve as
well: up to some place a sum, a difference or a product depends on the digits up to there alone, so that they are
asked for one by one while the operand is read. A ")" then need not repeat the value inside: it is asked for what the
operation that waited for it gives. Nothing changes in the model, and no token is written or read more; all that is
lost is the likelihood of an equation's own operands and operators.

    12 * 4 + 30 / 5 - 7 = 47      behind 4: 8 4 =     behind 30: 8 7 =     behind 5: 6 = =     behind 7: 7
                                  at 4: 8             at 0, 3: 8, 7        at 5: nothing       at 7: 7
    70 - (1 * 69) = 1             at 9, 6: 9, 6       behind 69: 1 =

S sequences    U = T + 1 tokens
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

from smidgen.data.arithmetic.expression import apply
from smidgen.model.config import DigitTokenIds
from smidgen.model.digit_features import Role, TokenClass, role_ids

# Raised whenever other values so far are asked for, as ``documents.BOUNDARIES_VERSION``.
SCRATCH_VERSION = 3
NO_TARGET = -1
# Tokens behind an operand that are used: a blank, an operator, a blank.
MOST_DIGITS = 3


def scratch_targets(ids_SU: Tensor, class_V: Tensor, known: DigitTokenIds, *, least_first: bool) -> Tensor:
    """The target of each token where it is a digit of a value so far, or "=" for the end of its digits; ``NO_TARGET``
    elsewhere: (S, T).

    Of the questions of strict equations that begin in their sequence. ``least_first`` says in which order the
    tokenizer writes digits. What behind an operand is so far: after * and / their result, after + and - that of all
    since the parenthesis opened. Before ")" it is the value inside; where the operand's digits have said that, what
    the operation before "(" makes of it. Values below 0 and quotients that are not whole are left out.
    """
    class_SU = class_V[ids_SU]
    role_SU = role_ids(class_SU)
    targets_SU = torch.full_like(ids_SU, NO_TARGET)
    # What is asked for are the ordinary digits: a value's last one says what it is, not where it ends.
    digit_of = {token_id: digit for ids in (known.digits, known.closing) for digit, token_id in enumerate(ids)}
    sign_of = dict(zip(known.operators, "+-*/", strict=True))
    for row, end in (role_SU == Role.EQUALS.value).nonzero().tolist():
        ids, classes = ids_SU[row, :end].tolist(), class_SU[row, :end].tolist()
        start = _line_start(classes)
        if start is None:
            continue
        tokens = [
            _Token(place, kind, digit_of.get(token_id), sign_of.get(token_id), role == Role.SIGN.value)
            for place, kind, token_id, role in zip(
                range(start, end), classes[start:], ids[start:], role_SU[row, start:end].tolist(), strict=True
            )
        ]
        for place, digit in _digits_of_values(tokens, least_first):
            targets_SU[row, place] = known.equals if digit is None else known.digits[digit]
    return targets_SU[:, :-1]


@dataclass(frozen=True, slots=True)
class _Token:
    place: int
    kind: int
    digit: int | None
    operator: str | None
    is_sign: bool


class _Sum:
    """The terms since a parenthesis opened: ``value`` of those before the last, which may still be multiplied."""

    def __init__(self) -> None:
        self.before: int | None = 0
        self.term: int | None = None
        # What joins the last term to those before it, and what stood last.
        self.joint, self.operator, self.operands = "+", "", 0

    def take(self, number: int | None) -> None:
        self.operands += 1
        is_factor = self.operator in ("*", "/")
        self.term = _applied(self.operator, self.term, number) if is_factor else number

    def operate(self, operator: str) -> None:
        if operator in "+-":
            self.before, self.joint = self.value, operator
        self.operator = operator

    @property
    def value(self) -> int | None:
        return _applied(self.joint, self.before, self.term)

    @property
    def latest(self) -> int | None:
        """What the last operator gave: the sum so far, or a term of it; None before there was one."""
        if self.operands < 2:
            return None
        return self.value if self.operator in "+-" else self.term


def _applied(operator: str, left: int | None, right: int | None) -> int | None:
    """The exact result, None where there is none."""
    if left is None or right is None:
        return None
    try:
        return apply(operator, left, right)
    except ArithmeticError:
        return None


def _line_start(classes: Sequence[int]) -> int | None:
    """Where the line begins whose end this is, None where it begins before."""
    for place in range(len(classes) - 1, -1, -1):
        if classes[place] == TokenClass.LINE_START.value:
            return place + 1
    return None


def _digits_of_values(tokens: Sequence[_Token], least_first: bool) -> Iterator[tuple[int, int | None]]:
    """Places and the digits that are to be predicted there, None for the end of the number."""
    sums, sign, index = [_Sum()], 1, 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.digit is not None:
            number = [token, *takewhile(lambda each: each.digit is not None, tokens[index:])]
            index += len(number) - 1
            sums[-1].take(sign * _number([each.digit or 0 for each in number], least_first))
            sign = 1
            if least_first:
                yield from _along(number, sums[-1])
            yield from _at(_behind(tokens[index:]), _so_far(sums, tokens[index:], least_first))
        elif token.is_sign:
            sign = -1
        elif token.operator is not None:
            sums[-1].operate(token.operator)
        elif token.kind == TokenClass.OPEN.value:
            if sign < 0:
                return  # a sign before a parenthesis, which no data of ours has
            sums.append(_Sum())
        elif token.kind == TokenClass.CLOSE.value:
            group = sums.pop().value
            sums[-1].take(group)


def _along(number: Sequence[_Token], known: _Sum) -> Iterator[tuple[int, int]]:
    """Each place of a number and the digit that the value so far, which it ends, has there."""
    value = known.latest
    if known.operator == "/" or value is None or value < 0:
        return
    for power, token in enumerate(number):
        yield token.place, value // 10**power % 10


def _so_far(sums: Sequence[_Sum], rest: Sequence[_Token], least_first: bool) -> int | None:
    """The value that is asked for behind an operand, the last that ``sums`` took; ``rest`` follows it."""
    known = sums[-1]
    closes = next((token.kind == TokenClass.CLOSE.value for token in rest if not _is_blank(token)), False)
    if not closes or known.operands < 2:
        return known.latest
    if least_first and known.operator != "/":
        # The value inside was asked for along its last operand: what the operation that waits outside gives is next.
        outer = copy(sums[-2])
        outer.take(known.value)
        if outer.latest is not None and outer.latest >= 0:
            return outer.latest
    return known.value


def _behind(rest: Sequence[_Token]) -> list[int]:
    """The places of the tokens before the next operand."""
    places = []
    for token in rest[:MOST_DIGITS]:
        if token.digit is not None or token.is_sign or token.kind == TokenClass.OPEN.value:
            break
        places.append(token.place)
    return places


def _at(places: Sequence[int], value: int | None) -> Iterator[tuple[int, int | None]]:
    if value is None or value < 0:
        return
    digits = [int(digit) for digit in reversed(str(value))]
    for number, place in enumerate(places):
        yield place, digits[number] if number < len(digits) else None


def _number(digits: Sequence[int], least_first: bool) -> int:
    return int("".join(map(str, reversed(digits) if least_first else digits)))


def _is_blank(token: _Token) -> bool:
    return token.kind == TokenClass.SPACE.value
