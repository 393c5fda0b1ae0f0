"""Long texts in parts that can be tokenised one by one: memory stays low and every core has work."""

import re
from collections.abc import Iterator

from smidgen.errors import BadInput

# Large enough that the cuts cost nothing, small enough that 16 cores share a megabyte.
SEGMENT_CHARACTERS = 60_000
# None of the splits, GPT-2's expression included, joins anything to a blank or line break on its right.
_CUT = re.compile(r"(?<=\S)(?=[ \n])")


def segments(text: str) -> Iterator[str]:
    """Parts whose tokens, joined, are the tokens of the text; a text without blanks stays whole.

    Raises ``BadInput`` for a lone surrogate, which UTF-8 cannot hold.
    """
    require_utf8(text)
    start = 0
    while len(text) - start > SEGMENT_CHARACTERS:
        cut = _CUT.search(text, start + SEGMENT_CHARACTERS)
        if cut is None:
            break
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:]


def require_utf8(text: str) -> bytes:
    """The text in UTF-8. Raises ``BadInput`` for a lone surrogate."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"the text has a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start}, which UTF-8 "
            "cannot hold; read the file with errors='replace' or leave the text out"
        ) from error
