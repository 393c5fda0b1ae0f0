"""What a source of a recipe is on the day a build begins: its files with their versions, or its generator.

Only here is the hub asked for anything but bytes. An unfinished build keeps its listings, so that it goes on with the
same commit of a dataset and the same files.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from smidgen.data.files import local_files
from smidgen.data.generated_parts import generator_settings
from smidgen.data.hub.dataset import Dataset
from smidgen.data.stored_file import StoredFile
from smidgen.recipes.mixture import Source


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A source as plain data. ``files`` are in the order of reading; a generator has none."""

    name: str
    origin: str
    license: str = ""
    text_key: str = "text"
    files: tuple[StoredFile, ...] = ()
    dataset: Dataset | None = None
    generator: str = ""
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    cache: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Listing":
        """The listing that ``to_json`` gave, also after a journey through a JSON file."""
        files = tuple(StoredFile(**file) for file in plain["files"])
        dataset = plain["dataset"] and Dataset(
            **plain["dataset"]
            | {"licenses": tuple(plain["dataset"]["licenses"]), "notes": tuple(plain["dataset"]["notes"])}
        )
        return cls(**plain | {"files": files, "dataset": dataset})

    @property
    def licenses(self) -> tuple[str, ...]:
        """What the recipe says, or else the card of the dataset; empty when neither says anything."""
        return (self.license,) if self.license else (self.dataset.licenses if self.dataset else ())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about this source, one sentence each."""
        if self.dataset is None:
            return ()
        on_card = self.dataset.licenses
        if not self.license or not on_card or self.license.lower() in [each.lower() for each in on_card]:
            return self.dataset.notes
        differs = f"the recipe says {self.license}, the dataset's card {', '.join(on_card)}"
        return (*self.dataset.notes, f"licence of source {self.name!r}: {differs}")

    def record(self) -> dict[str, Any]:
        """What an index of built data keeps of a source."""
        kept: dict[str, Any] = {"origin": self.origin, "licenses": list(self.licenses)}
        if self.files:
            kept |= {"files": len(self.files), "file_bytes": sum(file.size_bytes for file in self.files)}
        if self.dataset:
            shown = asdict(self.dataset)
            kept["dataset"] = {key: shown[key] for key in ("id", "config", "split", "revision", "commit")}
        return kept | {"notes": list(self.notes)}


def list_source(name: str, source: Source, *, seed: int, cache: Path | None) -> Listing:
    """Find out what a source is made of; ``seed`` drives the generators, ``cache`` is for what they extract.

    Raises ``BadInput`` for files and datasets that do not exist or cannot be used, ``OutOfResources`` when the hub
    does not answer.
    """
    common: dict[str, Any] = {"name": name, "origin": source.origin, "license": source.license}
    if source.generator:
        settings = generator_settings(source)
        folder = str(cache.absolute()) if cache else ""
        return Listing(**common, generator=source.generator, seed=seed, settings=settings, cache=folder)
    common["text_key"] = source.text
    if source.files:
        return Listing(**common, files=tuple(local_files(source.files)))
    from smidgen.data.hub.finding import find_dataset

    dataset, files = find_dataset(name, source)
    return Listing(**common, dataset=dataset, files=files)
