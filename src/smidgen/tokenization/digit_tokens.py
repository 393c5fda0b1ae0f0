"""Which tokens of a vocabulary are digits, operators, blanks and line starts to the digit features of a model."""

from collections.abc import Collection, Sequence

from smidgen.model.config import DigitTokenIds
from smidgen.tokenization.text_rules import CLOSING

_SYMBOLS = b"0123456789+-*/()="


def find(
    tokens: Sequence[bytes], *, first_ordinary: int, line_starting: Collection[int], closes_numbers: bool = False
) -> DigitTokenIds | None:
    """Sort the tokens from ``first_ordinary`` on; ``line_starting`` are the control tokens that begin a line.

    ``None`` when some digit, its closing mark where ``closes_numbers``, operator, parenthesis or equals sign also
    appears inside longer tokens.
    """
    marks = CLOSING.encode() if closes_numbers else b""
    symbols = frozenset(_SYMBOLS + marks)
    ordinary = dict(enumerate(tokens[first_ordinary:], start=first_ordinary))
    if any(len(token) > 1 and not symbols.isdisjoint(token) for token in ordinary.values()):
        return None
    id_of = {token: token_id for token_id, token in ordinary.items()}
    whitespace = {i: token.decode(errors="replace") for i, token in ordinary.items() if _is_whitespace(token)}
    # Also a line break with blanks behind it: an equation may be indented.
    breaks = [token_id for token_id, text in whitespace.items() if "\n" in text or "\r" in text]
    return DigitTokenIds(
        digits=tuple(id_of[b"%d" % digit] for digit in range(10)),
        operators=tuple(id_of[operator] for operator in (b"+", b"-", b"*", b"/")),
        open_parenthesis=id_of[b"("],
        close_parenthesis=id_of[b")"],
        equals=id_of[b"="],
        spaces=tuple(sorted(whitespace.keys() - breaks)),
        line_starts=tuple(sorted({*breaks, *line_starting})),
        closing=tuple(id_of[bytes([mark])] for mark in marks),
    )


def _is_whitespace(token: bytes) -> bool:
    # Part of a character decodes to U+FFFD, which is no blank.
    return token.decode(errors="replace").isspace()
