"""Place and role of every token, derived from token ids alone, and the two tables that embed them.

Numbers are written least-significant digit first, which makes the place of a digit causal: it is the count of
digits since its run began. The role says what part of a strict integer equation a token is in:

    equation = side "=" ["-"] digits
    side     = operand {("+" | "-" | "*" | "/") operand}
    operand  = ["-"] (digits | "(" side ")")

with blanks anywhere but inside digits. A line is an equation as long as it can still become one, whatever comes
later: from the first token on with which it cannot, the role is NONE until the next line start. (So the 1999 of
"1999 was wet" counts as an operand.) Nothing looks ahead: ids computed token by token from the whole history
equal those computed at once.

Sources: Atom-2.7m card (66 places, 12 roles, derived by the model from token ids); position coupling
(arXiv:2405.20671); Abacus embeddings (arXiv:2405.17399). The card does not list its roles: the list is ours.
"""

from enum import IntEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import PLACE_VOCAB_SIZE, DigitTokenIds, ModelConfig


class TokenClass(IntEnum):
    """What a token is to an equation."""

    OTHER = 0
    DIGIT = 1
    MINUS = 2
    OPERATOR = 3  # + * /
    OPEN = 4
    CLOSE = 5
    EQUALS = 6
    SPACE = 7
    LINE_START = 8


class Role(IntEnum):
    """What part of an equation a token is in."""

    NONE = 0
    OPERAND_1 = 1
    OPERAND_2 = 2
    OPERAND_3 = 3
    OPERAND_4 = 4
    OPERAND_LATER = 5
    OPERATOR = 6
    SIGN = 7
    OPEN = 8
    CLOSE = 9
    EQUALS = 10
    RESULT = 11


class DigitFeatures(nn.Module):
    """Embed the place and the role of every token: (B, S) ids -> (B, S, C)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_place = nn.Embedding(config.place_vocab_size, config.hidden_size)
        self.embed_role = nn.Embedding(config.role_vocab_size, config.hidden_size)
        self.class_V: Tensor
        class_V = token_classes(config.digit_token_ids, config.vocab_size)
        self.register_buffer("class_V", class_V, persistent=False)

    def forward(self, token_ids_BS: Tensor) -> Tensor:
        class_BS = self.class_V[token_ids_BS]
        return self.embed_place(place_ids(class_BS)) + self.embed_role(role_ids(class_BS))


def token_classes(ids: DigitTokenIds | None, vocab_size: int) -> Tensor:
    """The class of every token of the vocabulary, (V,). All OTHER while the tokenizer is not known."""
    class_V = torch.full((vocab_size,), TokenClass.OTHER, dtype=torch.long)
    if ids is None:
        return class_V
    class_V[list(ids.digits)] = TokenClass.DIGIT
    class_V[list(ids.operators)] = TokenClass.OPERATOR
    class_V[ids.operators[1]] = TokenClass.MINUS
    class_V[ids.open_parenthesis] = TokenClass.OPEN
    class_V[ids.close_parenthesis] = TokenClass.CLOSE
    class_V[ids.equals] = TokenClass.EQUALS
    class_V[list(ids.spaces)] = TokenClass.SPACE
    class_V[list(ids.line_starts)] = TokenClass.LINE_START
    return class_V


def place_ids(class_BS: Tensor) -> Tensor:
    """0 for what is no digit, else 1 for the first digit of its run and so on; 65 from the 65th digit on."""
    digit_BS = _is(class_BS, TokenClass.DIGIT)
    place_BS = _positions(class_BS) - _latest(~digit_BS)
    return torch.where(digit_BS, place_BS.clamp_max(PLACE_VOCAB_SIZE - 1), 0)


def role_ids(class_BS: Tensor) -> Tensor:
    """The role of every token in its line's equation, NONE outside of one."""
    previous_BS = _previous_meaningful(class_BS)
    # A number, a sign or an opening parenthesis may stand here.
    expects_operand_BS = _is(
        previous_BS,
        TokenClass.LINE_START,
        TokenClass.MINUS,
        TokenClass.OPERATOR,
        TokenClass.OPEN,
        TokenClass.EQUALS,
    )
    sign_BS = _is(class_BS, TokenClass.MINUS) & expects_operand_BS
    operator_BS = _is(class_BS, TokenClass.MINUS, TokenClass.OPERATOR) & ~sign_BS
    equals_BS = _count_in_line(_is(class_BS, TokenClass.EQUALS), class_BS)
    operand_BS = (1 + _count_in_line(operator_BS, class_BS)).clamp_max(Role.OPERAND_LATER)

    role_BS = torch.full_like(class_BS, Role.NONE)
    number_BS = torch.where(equals_BS > 0, Role.RESULT, operand_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.DIGIT), number_BS, role_BS)
    role_BS = torch.where(operator_BS, Role.OPERATOR, role_BS)
    role_BS = torch.where(sign_BS, Role.SIGN, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.OPEN), Role.OPEN, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.CLOSE), Role.CLOSE, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.EQUALS), Role.EQUALS, role_BS)
    broken_BS = _breaks_equation(class_BS, expects_operand_BS, sign_BS, equals_BS)
    return torch.where(_count_in_line(broken_BS, class_BS) > 0, Role.NONE, role_BS)


def _breaks_equation(class_BS: Tensor, expects_operand_BS: Tensor, sign_BS: Tensor, equals_BS: Tensor) -> Tensor:
    """True at each token that cannot continue a strict integer equation."""
    digit_BS, open_BS, close_BS = (
        _is(class_BS, wanted) for wanted in (TokenClass.DIGIT, TokenClass.OPEN, TokenClass.CLOSE)
    )
    continues_number_BS = _is(_shifted(class_BS, TokenClass.LINE_START), TokenClass.DIGIT)
    depth_BS = _count_in_line(open_BS, class_BS) - _count_in_line(close_BS, class_BS)
    binary_BS = _is(class_BS, TokenClass.MINUS, TokenClass.OPERATOR) & ~sign_BS
    after_sign_BS = _shifted_past_spaces(sign_BS, class_BS)
    is_equals_BS = _is(class_BS, TokenClass.EQUALS)
    in_result_BS = (equals_BS > 0) & ~is_equals_BS
    return (
        _is(class_BS, TokenClass.OTHER)
        | (digit_BS & ~expects_operand_BS & ~continues_number_BS)
        | (open_BS & ~expects_operand_BS)
        | (_is(class_BS, TokenClass.OPERATOR, TokenClass.CLOSE, TokenClass.EQUALS) & expects_operand_BS)
        | (close_BS & (depth_BS < 0))
        | (sign_BS & after_sign_BS)
        | (is_equals_BS & ((equals_BS > 1) | (depth_BS != 0)))
        | (in_result_BS & (open_BS | binary_BS))
    )


def _is(class_BS: Tensor, *wanted: TokenClass) -> Tensor:
    # By plain numbers: torch.compile (2.13) takes `tensor == member of an IntEnum` for the constant False.
    found_BS = class_BS == wanted[0].value
    for other in wanted[1:]:
        found_BS = found_BS | (class_BS == other.value)
    return found_BS


def _positions(x_BS: Tensor) -> Tensor:
    return torch.arange(x_BS.shape[1], device=x_BS.device).expand_as(x_BS)


def _latest(event_BS: Tensor) -> Tensor:
    """Position of the newest True up to and including each token, -1 before the first."""
    return torch.where(event_BS, _positions(event_BS), -1).cummax(dim=1).values


def _count_in_line(event_BS: Tensor, class_BS: Tensor) -> Tensor:
    """How many True stand after the start of the token's line, up to and including the token itself."""
    count_BS = event_BS.long().cumsum(dim=1)
    line_start_BS = _latest(_is(class_BS, TokenClass.LINE_START))
    return count_BS - torch.where(line_start_BS < 0, 0, count_BS.gather(1, line_start_BS.clamp_min(0)))


def _shifted(x_BS: Tensor, first: int) -> Tensor:
    return F.pad(x_BS, (1, 0), value=first)[:, :-1]


def _previous_meaningful(class_BS: Tensor) -> Tensor:
    """Class of the newest earlier token that is no blank, LINE_START where there is none."""
    return _past_spaces(class_BS, class_BS, TokenClass.LINE_START)


def _shifted_past_spaces(event_BS: Tensor, class_BS: Tensor) -> Tensor:
    """Whether the newest earlier token that is no blank was True."""
    return _past_spaces(event_BS.long(), class_BS, 0) == 1


def _past_spaces(x_BS: Tensor, class_BS: Tensor, first: int) -> Tensor:
    index_BS = _shifted(_latest(~_is(class_BS, TokenClass.SPACE)), -1)
    return torch.where(index_BS < 0, first, x_BS.gather(1, index_BS.clamp_min(0)))
