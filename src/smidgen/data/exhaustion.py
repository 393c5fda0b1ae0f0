"""When a generator has no more to give."""

from dataclasses import dataclass

# One of which so many documents in a row brought hardly anything new has none.
EXHAUSTED_DOCUMENTS, EXHAUSTED_SHARE = 10_000, 0.01


@dataclass(slots=True)
class Exhaustion:
    """Watches how many of a generator's documents are new; one of few equations would write without end."""

    _documents: int = 0
    _fresh: int = 0

    def is_reached(self, documents: int, fresh: int) -> bool:
        """Whether the last of ``documents`` brought hardly anything new, where ``fresh`` of all of them were.

        Looks each time when there are 10,000 more documents than at the last look; False in between.
        """
        more = documents - self._documents
        if more < EXHAUSTED_DOCUMENTS:
            return False
        found = fresh - self._fresh
        self._documents, self._fresh = documents, fresh
        return found < EXHAUSTED_SHARE * more
