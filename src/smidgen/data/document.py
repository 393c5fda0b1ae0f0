"""One piece of text with a name that stays the same from run to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the id that decides whether it is held out.

    ``id`` must not depend on the order of reading, so that a document keeps its side of the split
    when files are added before it.
    """

    id: str
    text: str
