"""Built data, opened: windows to train on and documents to score."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smidgen.data.shards import Shard, open_shard
from smidgen.errors import BadInput
from smidgen.records import manifest
from smidgen.records.fingerprint import sha256_of_json

INDEX_NAME = "index.json"
TRAIN_NAME, HELD_OUT_NAME = "train.bin", "held-out.bin"
# Raise it when the index or the files beside it take another form.
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Open shards, by source, cut into windows of ``context_length`` + 1 ids that share one id with the next."""

    folder: Path
    index: dict[str, Any]
    train: dict[str, Shard]
    held_out: dict[str, Shard]

    @property
    def context_length(self) -> int:
        return self.index["context_length"]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the index, which holds the hash of every shard."""
        return sha256_of_json(self.index)

    @property
    def window_counts(self) -> dict[str, int]:
        """Windows of each source, as `SampleOrder` takes them."""
        return {name: self._window_count(name) for name in self.train}

    def window(self, source: str, index: int) -> npt.NDArray[np.int64]:
        """The ``context_length`` + 1 ids of a window: inputs are all but the last, targets all but the first."""
        if not 0 <= index < self._window_count(source):
            raise IndexError(f"window {index} of {source!r} lies outside its {self._window_count(source)} windows")
        start = index * self.context_length
        return self.train[source].tokens[start : start + self.context_length + 1].astype(np.int64)

    def batch(self, samples: Sequence[tuple[str, int]]) -> npt.NDArray[np.int64]:
        """The windows of several samples, as `SampleOrder.batch` names them, one per row."""
        return np.stack([self.window(source, index) for source, index in samples])

    def held_out_documents(self, source: str) -> Iterator[tuple[npt.NDArray[np.int64], int]]:
        """Yield each held-out document as ids and the bytes of its text.

        The ids are the end-of-text token and the document's tokens, so every token of the text is predicted once.
        """
        shard = self.held_out[source]
        for number, text_bytes in enumerate(shard.document_bytes.tolist()):
            ids = np.concatenate([[self.index["end_of_text_id"]], shard.document(number).astype(np.int64)])
            yield ids, text_bytes

    def _window_count(self, source: str) -> int:
        return (len(self.train[source].tokens) - 1) // self.context_length


def open_data(folder: Path, tokenizer_fingerprint: str | None, *, verify: bool = True) -> TrainingData:
    """Open a folder that `build` made; with ``verify`` every byte is compared with its hash.

    Raises ``BadInput`` when it is no such folder, damaged, or made with another tokenizer (None accepts any).
    """
    index = _read_index(folder)
    problems = manifest.damage(folder) if verify else []
    if problems:
        raise BadInput(f"the data in {folder} are damaged ({'; '.join(problems)}); build them again")
    return TrainingData(
        folder=folder,
        index=index,
        train=_open_side(folder, index, "train", TRAIN_NAME, tokenizer_fingerprint),
        held_out=_open_side(folder, index, "held_out", HELD_OUT_NAME, tokenizer_fingerprint),
    )


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index = json.loads((folder / INDEX_NAME).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"{folder} holds no built data (no {INDEX_NAME}); build them with: smidgen data build"
        ) from error
    except ValueError:
        index = None
    needed = {"version", "sources", "context_length", "end_of_text_id"}
    if not isinstance(index, dict) or not needed <= index.keys():
        raise BadInput(f"{folder / INDEX_NAME} is damaged; build the data again")
    if index["version"] != FORMAT_VERSION:
        raise BadInput(
            f"{folder} is of version {index['version']} and this program reads {FORMAT_VERSION}; build the data again"
        )
    # The names become paths, and a folder may come from anywhere.
    check_names(index["sources"])
    return index


def _open_side(
    folder: Path, index: dict[str, Any], side: str, file_name: str, fingerprint: str | None
) -> dict[str, Shard]:
    # `manifest.damage` has hashed the files already, so the shards need not.
    shards = {
        name: open_shard(folder / name / file_name, tokenizer_fingerprint=fingerprint, verify=False)
        for name in index["sources"]
    }
    for name, shard in shards.items():
        if shard.content_sha256 != index["sources"][name]["content_sha256"][side]:
            raise BadInput(f"{shard.path} is not the shard that {INDEX_NAME} describes; build the data again")
    return shards


def check_names(names: Iterable[str]) -> None:
    """Raise ``BadInput`` for a source that cannot be the name of a folder."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise BadInput(
                f"source {name!r} cannot be the name of a folder; use letters, digits, - and _, such as 'my-text'"
            )
