"""One piece of text with a name that stays the same from run to run, or why a row is none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the id that decides whether it is held out.

    ``id`` must not depend on the order of reading, so that a document keeps its side of the split
    when files are added before it. ``place`` is the id to use instead when an earlier row of the same file has this
    one already; it is empty where ids cannot repeat.
    """

    id: str
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no document: where it stands, and the reason, the same words for all such rows."""

    place: str
    reason: str
