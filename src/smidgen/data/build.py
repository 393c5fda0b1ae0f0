"""From a recipe's sources to a sealed folder of shards."""

import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smidgen.data.listing import Listing, list_source
from smidgen.data.pipeline.execution import FEW_TOKENS, Execution
from smidgen.data.pipeline.processing import Processing, Tokenizer
from smidgen.data.pipeline.sides import Side, Tally
from smidgen.data.pipeline.supply import Supply
from smidgen.data.pipeline.walk import NearDuplicates, Outcome, Progress, SourceWalk, Wanted
from smidgen.data.quality.contamination import ContaminationIndex
from smidgen.data.quality.contamination_report import ContaminationReport
from smidgen.data.quality.exact_duplicates import SeenDigests
from smidgen.data.quality.near_duplicates import repeated_documents
from smidgen.data.shards import ShardWriter
from smidgen.data.training_data import FORMAT_VERSION, HELD_OUT_NAME, INDEX_NAME, TRAIN_NAME, check_names
from smidgen.errors import BadInput, Interrupted
from smidgen.recipes.mixture import DataSettings
from smidgen.records import atomic, manifest
from smidgen.records.fingerprint import sha256_of_json

LISTINGS_NAME = "listings.json"
# Up to 4 epochs of the same text are almost as good as fresh text (Muennighoff et al., arXiv:2305.16264).
MOST_EPOCHS = 4.0
# A short run trains on little text, and one per cent of it would be a document or two: too few for an interval. So a
# source is read on until this much is held out.
ENOUGH_HELD_OUT_BYTES = 100_000
# A part is a second or two of tokenising; of a source of which little is wanted, less.
SMALLEST_PART_BYTES, LARGEST_PART_BYTES = 1_000_000, 4_000_000


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
    evaluation: ContaminationIndex | None = None,
    execution: Execution = Execution(),  # noqa: B008 (frozen)
    progress: Progress = _no_progress,
    stop_requested: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Tokenise the sources of a recipe into ``out`` and return its index, the content of ``index.json``.

    A source is read until its training side holds one epoch of what the curriculum plans for it and its held-out side
    100 kB of text; one that ends earlier repeats, with a warning from 4 epochs on. At most ``held_out_bytes`` of text
    per source are kept to be scored (always one document); held-out documents beyond that are not trained on either.
    Documents are compared with the items of ``evaluation``, if it is given, as the recipe's ``quality`` says.
    ``progress`` is called with source, training tokens so far and training tokens wanted.
    What is tokenised is kept in a folder beside ``out`` until the end, so that a repeated call goes on.
    Raises ``BadInput`` for sources that cannot be used and when ``out`` exists, ``Interrupted`` after
    ``stop_requested``, ``OutOfResources`` on a full disk; ``out`` does not exist then.
    """
    parts = parts_folder(out)
    if out.exists():
        raise BadInput(f"{out} exists already; give another folder, or remove it to build the data again")
    check_names(recipe_data.sources)
    quality = recipe_data.quality
    if quality.contamination == "off":
        evaluation = None
    work = _Work(
        settings=recipe_data,
        tokenizer=tokenizer,
        context_length=context_length,
        training_tokens=training_tokens,
        seed=seed,
        held_out_bytes=held_out_bytes,
        listings=_listings(recipe_data, parts, seed=seed, cache=cache),
        processing=Processing(
            tokenizer=tokenizer,
            folder=parts,
            limits=quality.limits_in_force,
            held_out_fraction=recipe_data.held_out_fraction,
            has_signatures=quality.near_duplicates > 0,
            evaluation=evaluation,
            evaluation_fingerprint=evaluation.fingerprint if evaluation else "",
        ),
        progress=progress,
        stop_requested=stop_requested,
    )
    try:
        with (
            atomic.atomic_directory(out) as folder,
            closing(execution.runner(work.processing, stop_requested, tokens=work.all_wanted_tokens)) as runner,
        ):
            supply = work.supply(runner)
            near = _near_duplicates(work, supply) if quality.near_duplicates else None
            index = _written(work, supply, near, folder)
            atomic.write_json(folder / INDEX_NAME, index)
            manifest.seal(folder)
    except Interrupted as error:
        raise Interrupted(
            f"stopped while building the data; what is tokenised is kept in {parts} and the command can be repeated "
            "to go on"
        ) from error
    except BadInput:
        # Large data are kept for the time when the cause is removed.
        if work.all_wanted_tokens < FEW_TOKENS:
            shutil.rmtree(parts, ignore_errors=True)
        raise
    shutil.rmtree(parts, ignore_errors=True)
    return index


def parts_folder(out: Path) -> Path:
    """Where the unfinished build of a folder keeps what is tokenised."""
    return out.parent / f".{out.name}.parts"


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What a build is about."""

    settings: DataSettings
    tokenizer: Tokenizer
    context_length: int
    training_tokens: int
    seed: int
    held_out_bytes: int
    listings: list[Listing]
    processing: Processing
    progress: Progress
    stop_requested: Callable[[], bool]

    def wanted(self, name: str) -> Wanted:
        """One epoch of a source: its share in whole windows, and one more because of the order's rounding."""
        windows = math.ceil(self.settings.mean_shares()[name] * self.training_tokens / self.context_length) + 1
        return Wanted(
            tokens=windows * self.context_length + 1,
            enough_held_out_bytes=min(ENOUGH_HELD_OUT_BYTES, self.held_out_bytes),
            held_out_bytes=self.held_out_bytes,
            held_out_fraction=self.settings.held_out_fraction,
        )

    @property
    def all_wanted_tokens(self) -> int:
        return sum(self.wanted(name).tokens for name in self.settings.sources)

    def supply(self, runner: Any) -> Supply:
        wanted_tokens = [self.wanted(listing.name).tokens for listing in self.listings]
        return Supply(
            self.listings,
            self.processing,
            runner,
            wanted_tokens=wanted_tokens,
            part_bytes=[min(max(tokens, SMALLEST_PART_BYTES), LARGEST_PART_BYTES) for tokens in wanted_tokens],
        )

    def shard(self, path: Path) -> ShardWriter:
        return ShardWriter(
            path,
            vocab_size=self.tokenizer.vocab_size,
            end_of_text_id=self.tokenizer.end_of_text_id,
            tokenizer_fingerprint=self.tokenizer.fingerprint,
        )


def _listings(settings: DataSettings, parts: Path, *, seed: int, cache: Path | None) -> list[Listing]:
    """What the sources are; a dataset of the hub stays at the commit at which an unfinished build found it."""
    stored = manifest.read_record(parts / LISTINGS_NAME)
    listings = []
    for name, source in settings.sources.items():
        key = sha256_of_json([name, asdict(source)])
        if source.hub and key in stored:
            listings.append(Listing.from_json(stored[key]))
        else:
            listings.append(list_source(name, source, seed=seed, cache=cache))
            if source.hub:
                stored[key] = listings[-1].to_json()
                atomic.write_json(parts / LISTINGS_NAME, stored)
    return listings


def _near_duplicates(work: _Work, supply: Supply) -> NearDuplicates:
    """Walk through the sources until no document is used that was not compared with all before it.

    What repeats another is left out, so that a source must be read further, which brings new documents to compare.
    """
    near: NearDuplicates | None = None
    while True:
        left = NearDuplicates()
        earlier: dict[str, SeenDigests] = {}
        for position in range(len(work.listings)):
            walk = _walk(work, supply, position, earlier, train=Tally(), held_out=Tally(), near=near, left=left)
            walk.run()
            earlier[walk.name] = walk.digests
        if near is not None and left.is_complete:
            return near
        _compare(left, work.settings.quality.near_duplicates)
        near = left


def _compare(left: NearDuplicates, threshold: float) -> None:
    signatures = [each for parts in left.signatures.values() for each in parts]
    compared = [each for parts in left.compared.values() for each in parts]
    repeats = repeated_documents(signatures, threshold, kept=np.concatenate(compared)) >= 0
    start = 0
    for name, parts in left.compared.items():
        left.repeats[name] = []
        for part in parts:
            left.repeats[name].append(repeats[start : start + len(part)])
            start += len(part)


def _walk(
    work: _Work,
    supply: Supply,
    position: int,
    earlier: Mapping[str, SeenDigests],
    *,
    train: Side,
    held_out: Side,
    near: NearDuplicates | None = None,
    left: NearDuplicates | None = None,
    report: ContaminationReport | None = None,
    folder: Path | None = None,
) -> SourceWalk:
    listing = work.listings[position]
    return SourceWalk(
        listing,
        position,
        supply,
        work.wanted(listing.name),
        train=train,
        held_out=held_out,
        earlier=earlier,
        drops_contaminated=work.settings.quality.contamination == "drop",
        near=near,
        left=left,
        report=report,
        folder=folder,
        progress=work.progress,
        stop_requested=work.stop_requested,
    )


def _written(work: _Work, supply: Supply, near: NearDuplicates | None, folder: Path) -> dict[str, Any]:
    """Write the shards of all sources and return the index."""
    report = ContaminationReport(work.processing.evaluation) if work.processing.evaluation else None
    earlier: dict[str, SeenDigests] = {}
    entries: dict[str, dict[str, Any]] = {}
    for position, listing in enumerate(work.listings):
        place = folder / listing.name
        with work.shard(place / TRAIN_NAME) as train, work.shard(place / HELD_OUT_NAME) as held_out:
            walk = _walk(
                work,
                supply,
                position,
                earlier,
                train=train,
                held_out=held_out,
                near=near,
                report=report,
                folder=place,
            )
            outcome = walk.run()
            _check_size(work, listing.name, train, outcome.rejected)
        entries[listing.name] = _entry(work, listing, train, held_out, outcome)
        earlier[listing.name] = walk.digests
    return _index(work, entries, report)


def _entry(
    work: _Work, listing: Listing, train: ShardWriter, held_out: ShardWriter, outcome: Outcome
) -> dict[str, Any]:
    share = work.settings.mean_shares()[listing.name]
    windows = (train.tokens - 1) // work.context_length
    planned_tokens = round(share * work.training_tokens)
    record = listing.record()
    notes = list(record.pop("notes"))
    if outcome.is_exhausted and train.tokens < work.wanted(listing.name).tokens:
        notes.append(f"source {listing.name!r} has no more different documents: its settings allow no others")
    return {
        **record,
        "documents": {"train": train.documents, "held_out": held_out.documents, "left_out": outcome.left_out},
        "train_tokens": train.tokens,
        "held_out_tokens": held_out.tokens,
        "train_text_bytes": train.text_bytes,
        "held_out_text_bytes": held_out.text_bytes,
        "windows": windows,
        "planned_share": share,
        "planned_tokens": planned_tokens,
        "epochs": planned_tokens / (windows * work.context_length),
        "rejected": dict(sorted(outcome.rejected.items())),
        "duplicates_of": dict(outcome.duplicates_of),
        "contaminated": outcome.contaminated if work.processing.evaluation else None,
        "content_sha256": {"train": train.content_sha256, "held_out": held_out.content_sha256},
        "notes": notes,
    }


def _check_size(work: _Work, name: str, train: ShardWriter, rejected: Counter[str]) -> None:
    needed = work.context_length + 1
    if train.tokens >= needed:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common())
    raise BadInput(
        f"source {name!r} gives {train.tokens} tokens to train on{f' (rejected: {reasons})' if reasons else ''} and "
        f"one window of context_length={work.context_length} needs {needed}; give more text or a shorter context"
    )


def _index(work: _Work, entries: dict[str, dict[str, Any]], report: ContaminationReport | None) -> dict[str, Any]:
    rejected: Counter[str] = sum((Counter(entry["rejected"]) for entry in entries.values()), Counter())
    return {
        "version": FORMAT_VERSION,
        "tokenizer_fingerprint": work.tokenizer.fingerprint,
        "vocab_size": work.tokenizer.vocab_size,
        "end_of_text_id": work.tokenizer.end_of_text_id,
        "context_length": work.context_length,
        "training_tokens": work.training_tokens,
        "held_out_fraction": work.settings.held_out_fraction,
        "seed": work.seed,
        "tokens": sum(entry["train_tokens"] for entry in entries.values()),
        "shards": 2 * len(entries),
        "shares": {name: entry["planned_share"] for name, entry in entries.items()},
        "rejected": dict(sorted(rejected.items())),
        "contaminated": report.as_list() if report else None,
        "sources": entries,
        "warnings": [
            f"source {name!r} will repeat {entry['epochs']:.1f} times; beyond {MOST_EPOCHS:.0f} epochs repeated text "
            "teaches little: give more text, lower its weight or train on fewer tokens"
            for name, entry in entries.items()
            if entry["epochs"] > MOST_EPOCHS
        ],
        "notes": [
            *_weight_notes(work.settings),
            *(note for entry in entries.values() for note in entry["notes"]),
        ],
    }


def _weight_notes(settings: DataSettings) -> Iterator[str]:
    """Where weights are no shares, what shares they stand for."""
    for point in settings.curriculum:
        total = sum(point.weights.values())
        if not (math.isclose(total, 1, rel_tol=1e-6) or math.isclose(total, 100, rel_tol=1e-6)):
            shares = settings.shares_at(point.at)
            shown = ", ".join(f"{name} {100 * shares[name]:.4g}%" for name in point.weights)
            yield f"the weights at {point.at:g} sum to {total:g} and count as proportions: {shown}"
