"""From a recipe's sources to a sealed folder of shards, and back to windows for training."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from smidgen.data.document import Document
from smidgen.data.shards import Shard, ShardWriter, open_shard
from smidgen.data.sources import open_source
from smidgen.data.split import with_sides
from smidgen.errors import BadInput, Interrupted
from smidgen.recipes.mixture import DataSettings, Source
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_json

INDEX_NAME = "index.json"
TRAIN_NAME, HELD_OUT_NAME = "train.bin", "held-out.bin"
FORMAT_VERSION = 1
# Text that is tokenised at once: enough for all cores, and soon enough done to stop on a signal.
CHUNK_CHARACTERS = 1_000_000
# Up to 4 epochs of the same text are almost as good as fresh text (Muennighoff et al., arXiv:2305.16264).
MOST_EPOCHS = 4.0
# A short run trains on little text, and one per cent of it would be a document or two: too few for an interval. So a
# source is read on until this much is held out.
ENOUGH_HELD_OUT_BYTES = 100_000

Progress = Callable[[str, int, int], None]


class Tokenizer(Protocol):
    """What `build` needs of a tokenizer."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def end_of_text_id(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    def encode_batch(self, texts: list[str]) -> list[list[int]]: ...


def _no_progress(source: str, tokens: int, wanted_tokens: int) -> None:
    pass


def build(
    recipe_data: DataSettings,
    tokenizer: Tokenizer,
    *,
    out: Path,
    context_length: int,
    training_tokens: int,
    seed: int,
    cache: Path | None,
    held_out_bytes: int = 2_000_000,
    progress: Progress = _no_progress,
    stop_requested: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Tokenise the sources of a recipe into ``out`` and return its index, the content of ``index.json``.

    A source is read until its training side holds one epoch of what the curriculum plans for it and its held-out side
    100 kB of text; one that ends earlier repeats, with a warning from 4 epochs on. At most ``held_out_bytes`` of text
    per source are kept to be scored (always one document); held-out documents beyond that are not trained on either.
    ``progress`` is called with source, training tokens so far and training tokens wanted.
    Raises ``BadInput`` for sources that cannot be used and when ``out`` exists, ``Interrupted`` after
    ``stop_requested``, ``OutOfResources`` on a full disk; ``out`` does not exist then.
    """
    if out.exists():
        raise BadInput(f"{out} exists already; give another folder, or remove it to build the data again")
    _check_names(recipe_data.sources)
    work = _Work(
        tokenizer=tokenizer,
        context_length=context_length,
        training_tokens=training_tokens,
        seed=seed,
        cache=cache,
        held_out_fraction=recipe_data.held_out_fraction,
        held_out_bytes=held_out_bytes,
        progress=progress,
        stop_requested=stop_requested,
    )
    shares = recipe_data.mean_shares()
    with atomic.atomic_directory(out) as folder:
        entries = {
            name: _build_source(work, name, source, shares[name], folder / name)
            for name, source in recipe_data.sources.items()
        }
        index = _index(work, entries)
        atomic.write_json(folder / INDEX_NAME, index)
        manifest.seal(folder)
    return index


def sample_texts(recipe_data: DataSettings, *, bytes_wanted: int, seed: int, cache: Path | None) -> Iterator[str]:
    """Yield training text for a tokenizer: of each source its mean share of ``bytes_wanted``.

    The last document of a source is yielded whole; a source with less text than its share gives what it has.
    Documents that `build` would hold out are left out. Raises ``BadInput`` as `build` does.
    """
    for name, share in recipe_data.mean_shares().items():
        wanted = math.ceil(share * bytes_wanted)
        yield from source_texts(recipe_data, name, bytes_wanted=wanted, seed=seed, cache=cache)


def source_texts(
    recipe_data: DataSettings, name: str, *, bytes_wanted: int, seed: int, cache: Path | None
) -> Iterator[str]:
    """Yield training text of one source, as `sample_texts` does of all."""
    source = recipe_data.sources[name]
    with closing(open_source(name, source, seed=seed, cache=cache, rejected=Counter())) as documents:
        for document, held_out in with_sides(documents, recipe_data.held_out_fraction, source=f"source {name!r}"):
            if bytes_wanted <= 0:
                break
            if not held_out:
                bytes_wanted -= len(document.text.encode())
                yield document.text


# Building


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is the same for all sources of a build."""

    tokenizer: Tokenizer
    context_length: int
    training_tokens: int
    seed: int
    cache: Path | None
    held_out_fraction: float
    held_out_bytes: int
    progress: Progress
    stop_requested: Callable[[], bool]

    @property
    def enough_held_out_bytes(self) -> int:
        return min(ENOUGH_HELD_OUT_BYTES, self.held_out_bytes)

    def wanted_tokens(self, share: float) -> int:
        """One epoch of a source: its share in whole windows, and one more because of the order's rounding."""
        windows = math.ceil(share * self.training_tokens / self.context_length) + 1
        return windows * self.context_length + 1

    def shard(self, path: Path) -> ShardWriter:
        return ShardWriter(
            path,
            vocab_size=self.tokenizer.vocab_size,
            end_of_text_id=self.tokenizer.end_of_text_id,
            tokenizer_fingerprint=self.tokenizer.fingerprint,
        )


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise BadInput(
                f"source {name!r} cannot be the name of a folder; use letters, digits, - and _, such as 'my-text'"
            )


def _build_source(work: _Work, name: str, source: Source, share: float, folder: Path) -> dict[str, Any]:
    rejected: Counter[str] = Counter()
    with (
        closing(open_source(name, source, seed=work.seed, cache=work.cache, rejected=rejected)) as documents,
        work.shard(folder / TRAIN_NAME) as train,
        work.shard(folder / HELD_OUT_NAME) as held_out,
    ):
        left_out = _fill(work, name, documents, train, held_out, work.wanted_tokens(share))
    _check_size(work, name, train, rejected)
    windows = (train.tokens - 1) // work.context_length
    planned_tokens = round(share * work.training_tokens)
    return {
        "origin": source.origin,
        "documents": {"train": train.documents, "held_out": held_out.documents, "left_out": left_out},
        "train_tokens": train.tokens,
        "held_out_tokens": held_out.tokens,
        "train_text_bytes": train.text_bytes,
        "held_out_text_bytes": held_out.text_bytes,
        "windows": windows,
        "planned_share": share,
        "planned_tokens": planned_tokens,
        "epochs": planned_tokens / (windows * work.context_length),
        "rejected": dict(sorted(rejected.items())),
        "content_sha256": {"train": train.content_sha256, "held_out": held_out.content_sha256},
    }


def _fill(
    work: _Work,
    name: str,
    documents: Iterator[Document],
    train: ShardWriter,
    held_out: ShardWriter,
    wanted_tokens: int,
) -> int:
    """Write the two sides until both hold enough or the documents end; return how many were left out."""
    left_out = 0
    sides = with_sides(documents, work.held_out_fraction, source=f"source {name!r}")
    for chunk in _chunks(sides, work.stop_requested):
        if train.tokens >= wanted_tokens:
            # Only looked through for more to score; reading costs little beside tokenising.
            chunk = [side for side in chunk if side[1]]
        all_ids = work.tokenizer.encode_batch([document.text for document, _ in chunk])
        for (document, is_held_out), ids in zip(chunk, all_ids, strict=True):
            text_bytes = len(document.text.encode())
            if not is_held_out:
                train.add(ids, text_bytes)
            elif left_out == 0 and _has_room(held_out, text_bytes, work.held_out_bytes):
                held_out.add(ids, text_bytes)
            else:
                left_out += 1
        work.progress(name, train.tokens, wanted_tokens)
        if train.tokens >= wanted_tokens and (left_out or held_out.text_bytes >= work.enough_held_out_bytes):
            break
    return left_out


def _has_room(held_out: ShardWriter, text_bytes: int, held_out_bytes: int) -> bool:
    return held_out.documents == 0 or held_out.text_bytes + text_bytes <= held_out_bytes


def _chunks(
    sides: Iterable[tuple[Document, bool]], stop_requested: Callable[[], bool]
) -> Iterator[list[tuple[Document, bool]]]:
    chunk: list[tuple[Document, bool]] = []
    characters = 0
    for side in sides:
        if stop_requested():
            raise Interrupted("stopped while building the data, of which nothing is kept; repeat the command")
        chunk.append(side)
        characters += len(side[0].text)
        if characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _check_size(work: _Work, name: str, train: ShardWriter, rejected: Counter[str]) -> None:
    needed = work.context_length + 1
    if train.tokens >= needed:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common())
    raise BadInput(
        f"source {name!r} gives {train.tokens} tokens to train on{f' (rejected: {reasons})' if reasons else ''} and "
        f"one window of context_length={work.context_length} needs {needed}; give more text or a shorter context"
    )


def _index(work: _Work, entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rejected: Counter[str] = sum((Counter(entry["rejected"]) for entry in entries.values()), Counter())
    return {
        "version": FORMAT_VERSION,
        "tokenizer_fingerprint": work.tokenizer.fingerprint,
        "vocab_size": work.tokenizer.vocab_size,
        "end_of_text_id": work.tokenizer.end_of_text_id,
        "context_length": work.context_length,
        "training_tokens": work.training_tokens,
        "held_out_fraction": work.held_out_fraction,
        "seed": work.seed,
        "tokens": sum(entry["train_tokens"] for entry in entries.values()),
        "shards": 2 * len(entries),
        "shares": {name: entry["planned_share"] for name, entry in entries.items()},
        "rejected": dict(sorted(rejected.items())),
        "sources": entries,
        "warnings": [
            f"source {name!r} will repeat {entry['epochs']:.1f} times; beyond {MOST_EPOCHS:.0f} epochs repeated text "
            "teaches little: give more text, lower its weight or train on fewer tokens"
            for name, entry in entries.items()
            if entry["epochs"] > MOST_EPOCHS
        ],
    }


# Reading


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
    _check_names(index["sources"])
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
