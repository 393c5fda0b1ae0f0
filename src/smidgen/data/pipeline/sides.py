"""Where the documents of a source go: into the text to train on, into what is held out, or nowhere."""

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Side(Protocol):
    """Where the documents of one side go."""

    tokens: int
    text_bytes: int
    documents: int

    def add_all(
        self, ids: npt.NDArray[np.integer], counts: npt.NDArray[np.integer], text_bytes: npt.NDArray[np.integer]
    ) -> None: ...


class Tally:
    """A side that only counts."""

    def __init__(self) -> None:
        self.tokens = self.text_bytes = self.documents = 0

    def add_all(
        self, ids: npt.NDArray[np.integer], counts: npt.NDArray[np.integer], text_bytes: npt.NDArray[np.integer]
    ) -> None:
        self.tokens += len(ids) + len(counts)
        self.text_bytes += int(text_bytes.sum())
        self.documents += len(counts)
