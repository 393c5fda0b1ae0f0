"""Tokens as people may see them."""

from smidgen.tokenization.text_rules import CLOSING

# Control characters by their pictures, U+2400 and on, so that a token shown in a terminal cannot steer it.
_PICTURES = {**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421}
# The digit that a number ends with, and a sign for that.
_CLOSED = {ord(mark): f"{digit}\u27e9" for digit, mark in enumerate(CLOSING)}


def shown(content: bytes, *, closes_numbers: bool = False) -> str:
    """Bytes as text: parts of a character appear as \\xNN and control characters as their pictures; where
    ``closes_numbers``, closing marks as their digits with a sign.
    """
    text = content.decode(errors="backslashreplace")
    return (text.translate(_CLOSED) if closes_numbers else text).translate(_PICTURES)
