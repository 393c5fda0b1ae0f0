"""Strings that end a text, found wherever the text was cut into parts."""

from collections.abc import Sequence


class StopStrings:
    """Hands on the text before the first of the strings.

    Of what has come, only an end that may be the beginning of one of them is held back.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def push(self, text: str) -> str:
        """What is certain to stand before any of the strings; nothing more once one was found."""
        if not self._stops or self.found:
            return "" if self.found else text
        self._held += text
        places = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if places:
            self.found = True
            return self._released(min(places))
        return self._released(len(self._held) - self._doubtful())

    def flush(self) -> str:
        """What was held back, when no more text comes."""
        return "" if self.found else self._released(len(self._held))

    def _released(self, length: int) -> str:
        released, self._held = self._held[:length], self._held[length:]
        return released

    def _doubtful(self) -> int:
        """Length of the longest end that begins one of the strings."""
        longest = max(map(len, self._stops)) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            end = self._held[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0
