"""The 256 characters that byte-level BPE writes for the 256 bytes.

Source: ``bytes_to_unicode`` of GPT-2's encoder.py: printable Latin-1 bytes stand for themselves, the others take the
characters from U+0100 on, so that no symbol is a blank or a control character.
"""

from collections.abc import Callable

_PRINTABLE = frozenset((*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)))


def byte_symbols() -> tuple[str, ...]:
    """The symbol of each byte, by the byte's value."""
    others = [byte for byte in range(256) if byte not in _PRINTABLE]
    return tuple(chr(byte if byte in _PRINTABLE else 0x100 + others.index(byte)) for byte in range(256))


def bytes_of() -> Callable[[str], bytes]:
    """A function from a token written in byte symbols to its bytes; it raises ``KeyError`` on other characters."""
    value_of = {symbol: value for value, symbol in enumerate(byte_symbols())}
    return lambda token: bytes(value_of[symbol] for symbol in token)
