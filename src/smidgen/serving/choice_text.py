"""The text of one choice as it grows: whole characters, whole text rules, nothing behind a stop string."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smidgen.checkpoints.open_model import OpenModel
from smidgen.serving.stop_strings import StopStrings
from smidgen.serving.token_score import TokenScore


@dataclass(frozen=True, slots=True)
class PlacedToken:
    """A token with its score and where in the text of its choice what it brings begins."""

    score: TokenScore
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some more of choice ``index``: ``tokens`` are those whose text has come, ``drawn`` how many were drawn for it.

    ``finish_reason`` is set on the last piece of a choice: "stop" or "length".
    """

    index: int
    text: str
    tokens: tuple[PlacedToken, ...] = ()
    drawn: int = 0
    finish_reason: str | None = None


def joined(pieces: Sequence[Piece]) -> Piece:
    """The pieces of one choice as one."""
    return replace(
        pieces[-1],
        text="".join(piece.text for piece in pieces),
        tokens=tuple(token for piece in pieces for token in piece.tokens),
        drawn=sum(piece.drawn for piece in pieces),
    )


class ChoiceText:
    """Turns tokens into pieces of text; ``is_stopped`` once a stop string has come.

    ``start`` is the length of what stands before the text in its choice, which is the prompt where it is echoed.
    """

    def __init__(self, model: OpenModel, index: int, stop: Sequence[str], *, start: int = 0) -> None:
        self._decoder = model.streaming_decoder()
        self._stop = StopStrings(stop)
        self._index = index
        self._decoded = start
        self._given = start
        self._waiting: list[PlacedToken] = []
        self._drawn = 0

    @property
    def is_stopped(self) -> bool:
        return self._stop.found

    def push(self, token_id: int, score: TokenScore | None) -> Piece | None:
        """The piece that is certain now, if there is one."""
        self._drawn += 1
        if score is not None:
            self._waiting.append(PlacedToken(score, self._decoded))
        text = self._decoder.push(token_id)
        self._decoded += len(text)
        released = self._stop.push(text)
        return self._piece(released) if released else None

    def finish(self, reason: str) -> Piece:
        """The last piece. What the decoder held back may still hold a stop string."""
        released = self._stop.push(self._decoder.flush()) + self._stop.flush()
        stopped = self._stop.found
        return replace(self._piece(released, everything=not stopped), finish_reason="stop" if stopped else reason)

    def _piece(self, text: str, *, everything: bool = False) -> Piece:
        self._given += len(text)
        told = len(self._waiting) if everything else sum(token.offset < self._given for token in self._waiting)
        tokens, self._waiting = tuple(self._waiting[:told]), self._waiting[told:]
        drawn, self._drawn = self._drawn, 0
        return Piece(index=self._index, text=text, tokens=tokens, drawn=drawn)
