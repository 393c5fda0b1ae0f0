"""Tokens as people may see them."""

# Control characters by their pictures, U+2400 and on, so that a token shown in a terminal cannot steer it.
_PICTURES = {**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421}


def shown(content: bytes) -> str:
    """Bytes as text: parts of a character appear as \\xNN and control characters as their pictures."""
    return content.decode(errors="backslashreplace").translate(_PICTURES)
