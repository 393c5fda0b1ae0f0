"""Place and role of every token, derived from token ids alone, and the two tables that embed them.

Numbers are written least-significant digit first, which makes the place of a digit causal: it is the count of
digits since its run began. The role says what part of a strict integer equation a token is in:

    equation = [blanks] side [blanks] "=" [blanks] ["-"] digits [blanks]
    side     = operand {operator operand}
    operator = [blanks] ("+" | "*") [blanks] | blanks ("-" | "/") blanks
    operand  = ["-"] (digits | "(" [blanks] side [blanks] ")")

A line is an equation as long as it can still become one, whatever comes later: from the first token on with which
it cannot, the role is NONE until the next line start. Nothing looks ahead: ids computed token by token from the
whole history equal those computed at once. (So the 1999 of a line "1999 was wet" counts as an operand.) Between two
operands - and / need their blanks because dates, ranges, fractions and telephone numbers have none: of 2026-11-21,
only the 2026 has a role, and that only where it begins a line.

docs/tokenizers.md holds the whole definition with examples. Sources: Atom-2.7m card (66 places, 12 roles, derived by
the model from token ids); position coupling (arXiv:2405.20671); Abacus embeddings (arXiv:2405.17399). The card does
not list its roles: the list is ours.
"""

from enum import IntEnum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import PLACE_VOCAB_SIZE, DigitTokenIds, ModelConfig


class TokenClass(IntEnum):
    """What a token is to an equation."""

    # 0, which is also what a token finds where no other stands before it: a text begins as a line does.
    LINE_START = 0
    DIGIT = 1
    MINUS = 2
    SLASH = 3
    OPERATOR = 4  # + *
    OPEN = 5
    CLOSE = 6
    EQUALS = 7
    SPACE = 8
    OTHER = 9


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

    def forward(
        self,
        token_ids_BS: Tensor,
        attention_mask_BS: Tensor | None = None,
        place_offset_B: Tensor | None = None,
    ) -> Tensor:
        """``attention_mask_BS`` is 0 for padding, which starts a line whatever its ids are, those of digits too.

        ``place_offset_B`` is added to the places of each sequence's digits.
        """
        class_BS = self.class_V[token_ids_BS]
        if attention_mask_BS is not None:
            class_BS = class_BS.masked_fill(attention_mask_BS == 0, TokenClass.LINE_START.value)
        return self.embed_place(place_ids(class_BS, place_offset_B)) + self.embed_role(role_ids(class_BS))


def token_classes(ids: DigitTokenIds | None, vocab_size: int) -> Tensor:
    """The class of every token of the vocabulary, (V,). All OTHER while the tokenizer is not known."""
    class_V = torch.full((vocab_size,), TokenClass.OTHER, dtype=torch.long)
    if ids is None:
        return class_V
    class_V[[*ids.digits, *ids.closing]] = TokenClass.DIGIT
    class_V[list(ids.operators)] = TokenClass.OPERATOR
    class_V[ids.operators[1]] = TokenClass.MINUS
    class_V[ids.operators[3]] = TokenClass.SLASH
    class_V[ids.open_parenthesis] = TokenClass.OPEN
    class_V[ids.close_parenthesis] = TokenClass.CLOSE
    class_V[ids.equals] = TokenClass.EQUALS
    class_V[list(ids.spaces)] = TokenClass.SPACE
    class_V[list(ids.line_starts)] = TokenClass.LINE_START
    return class_V


def place_ids(class_BS: Tensor, offset_B: Tensor | None = None) -> Tensor:
    """0 for what is no digit, else 1 for the first digit of its run and so on; 65 from the 65th digit on.

    With an offset, digits of that sequence count from 1 + offset on.
    """
    digit_BS = _is(class_BS, TokenClass.DIGIT)
    place_BS = _count_since(~digit_BS, digit_BS)
    if offset_B is not None:
        place_BS = place_BS + offset_B[:, None] * digit_BS
    return place_BS.clamp_max(PLACE_VOCAB_SIZE - 1)


def role_ids(class_BS: Tensor) -> Tensor:
    """The role of every token in its line's equation, NONE outside of one."""
    line_start_BS = _is(class_BS, TokenClass.LINE_START)
    expects_operand_BS = _expects_operand(class_BS)
    sign_BS = _is(class_BS, TokenClass.MINUS) & expects_operand_BS
    operator_BS = _is(class_BS, TokenClass.MINUS, TokenClass.SLASH, TokenClass.OPERATOR) & ~sign_BS
    equals_BS = _count_since(line_start_BS, _is(class_BS, TokenClass.EQUALS))
    operand_BS = (1 + _count_since(line_start_BS, operator_BS)).clamp_max(Role.OPERAND_LATER)

    role_BS = torch.full_like(class_BS, Role.NONE)
    number_BS = torch.where(equals_BS > 0, Role.RESULT, operand_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.DIGIT), number_BS, role_BS)
    role_BS = torch.where(operator_BS, Role.OPERATOR, role_BS)
    role_BS = torch.where(sign_BS, Role.SIGN, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.OPEN), Role.OPEN, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.CLOSE), Role.CLOSE, role_BS)
    role_BS = torch.where(_is(class_BS, TokenClass.EQUALS), Role.EQUALS, role_BS)
    broken_BS = _breaks_equation(class_BS, expects_operand_BS, sign_BS, operator_BS, equals_BS)
    return torch.where(_count_since(line_start_BS, broken_BS) > 0, Role.NONE, role_BS)


def _expects_operand(class_BS: Tensor) -> Tensor:
    """Whether a number, a sign or an opening parenthesis may stand here, by the newest token that is no blank."""
    previous_BS = _shifted(_at_newest(~_is(class_BS, TokenClass.SPACE), class_BS))
    return _is(
        previous_BS,
        TokenClass.LINE_START,
        TokenClass.MINUS,
        TokenClass.SLASH,
        TokenClass.OPERATOR,
        TokenClass.OPEN,
        TokenClass.EQUALS,
    )


def _breaks_equation(
    class_BS: Tensor, expects_operand_BS: Tensor, sign_BS: Tensor, operator_BS: Tensor, equals_BS: Tensor
) -> Tensor:
    """True at each token that cannot continue a strict integer equation."""
    space_BS, digit_BS, open_BS, close_BS, is_equals_BS = (
        _is(class_BS, wanted)
        for wanted in (
            TokenClass.SPACE,
            TokenClass.DIGIT,
            TokenClass.OPEN,
            TokenClass.CLOSE,
            TokenClass.EQUALS,
        )
    )
    line_start_BS = _is(class_BS, TokenClass.LINE_START)
    depth_BS = _count_since(line_start_BS, open_BS) - _count_since(line_start_BS, close_BS)
    between_blanks_BS = operator_BS & _is(class_BS, TokenClass.MINUS, TokenClass.SLASH)
    in_result_BS = (equals_BS > 0) & ~is_equals_BS
    return (
        _is(class_BS, TokenClass.OTHER)
        | (digit_BS & ~expects_operand_BS & ~_shifted(digit_BS))
        | (open_BS & ~expects_operand_BS)
        | ((operator_BS | close_BS | is_equals_BS) & expects_operand_BS)
        | (close_BS & (depth_BS < 0))
        | (between_blanks_BS & ~_shifted(space_BS))
        | (~space_BS & _shifted(between_blanks_BS))
        | ((space_BS | sign_BS) & _shifted(sign_BS))
        | (is_equals_BS & ((equals_BS > 1) | (depth_BS != 0)))
        | (in_result_BS & (open_BS | operator_BS))
    )


def _is(class_BS: Tensor, *wanted: TokenClass) -> Tensor:
    # By plain numbers: torch.compile (2.13) takes `tensor == member of an IntEnum` for the constant False.
    found_BS = class_BS == wanted[0].value
    for other in wanted[1:]:
        found_BS = found_BS | (class_BS == other.value)
    return found_BS


def _count_since(start_BS: Tensor, event_BS: Tensor) -> Tensor:
    """How many events there were after the newest start, up to and including each token."""
    count_BS = event_BS.long().cumsum(dim=1)
    return count_BS - _at_newest(start_BS, count_BS)


def _at_newest(event_BS: Tensor, x_BS: Tensor) -> Tensor:
    """What x was at the newest event up to and including each token, 0 before the first."""
    # Event number n leaves its x in slot n, slot 0 stays empty. A running maximum would do, but ONNX has none.
    number_BS = event_BS.long().cumsum(dim=1)
    slots_BN = F.pad(torch.zeros_like(x_BS), (0, 1))
    return slots_BN.scatter_add(1, number_BS, torch.where(event_BS, x_BS, 0)).gather(1, number_BS)


def _shifted(x_BS: Tensor) -> Tensor:
    """What the token before was, 0 before the first."""
    return F.pad(x_BS, (1, 0))[:, :-1]
