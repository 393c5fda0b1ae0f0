"""The documents of a benchmark, from a folder on this machine or from the Hugging Face hub."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.benchmark import Benchmark
from smidgen.evaluation.tasks.json_lines import json_lines
from smidgen.records.fingerprint import sha256_of_file, sha256_of_json

ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")


class OutOfReach(BadInput):
    """Data that the hub did not give: without a network, or because it asks for a login. Other tasks can go on."""


@dataclass(frozen=True)
class EvalData:
    """Where evaluation data lies: in a folder as ``task/split.jsonl``, or on the Hugging Face hub when that is None.

    Raises ``BadInput`` for a folder that does not exist.
    """

    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None and not self.folder.is_dir():
            raise BadInput(f"--eval-data {self.folder} is not a folder; leave it out to use the Hugging Face hub")


@dataclass(frozen=True, kw_only=True)
class Documents:
    """One file or one split on the hub; ``rows`` are numbers and contents of lines, ``where`` names it in errors."""

    name: str
    where: str
    sha256: str
    rows: list[tuple[int, dict[str, Any]]]


def missing(benchmark: Benchmark, data: EvalData) -> str:
    """Why the documents cannot be read: empty, or what would have to be there."""
    if data.folder is None:
        found = importlib.util.find_spec("datasets") is not None
        return "" if found else "needs the package datasets: pip install 'smidgen[eval]'"
    lacking = [config for config in benchmark.configs if _file(benchmark, config, data.folder) is None]
    if not lacking:
        return ""
    wanted = " or ".join(f"{place.format(config=lacking[0])}.jsonl" for place in benchmark.files)
    more = f" and {len(lacking) - 1} more files of {len(benchmark.configs)}" if len(lacking) > 1 else ""
    return f"needs {wanted}{more} in {data.folder} (plain, .gz or as .parquet)"


def read_documents(benchmark: Benchmark, data: EvalData) -> Iterator[Documents]:
    """The documents of each config in turn. Raises ``BadInput`` when they are missing or damaged,
    ``OutOfReach`` when the hub does not give them."""
    reason = missing(benchmark, data)
    if reason:
        raise BadInput(f"{benchmark.name} {reason}")
    for config in benchmark.configs:
        if data.folder is None:
            yield _from_hub(benchmark, config)
        else:
            file = _file(benchmark, config, data.folder)
            assert file is not None, "missing() has looked for it"
            yield _from_file(file, data.folder)


def source(benchmark: Benchmark, data: EvalData, names: list[str]) -> str:
    """In words, where documents of these names came from."""
    if data.folder is None:
        return f"Hugging Face hub, {benchmark.dataset}, split {benchmark.split}"
    if len(names) > 1:
        return f"{len(names)} local files, {names[0]} to {names[-1]}"
    split = Path(names[0]).name.partition(".")[0]
    stands_in = not names[0].startswith(benchmark.files[0]) and not split.startswith(benchmark.split)
    return f"local file {names[0]}" + (f" ({split}, not {benchmark.split})" if stands_in else "")


def _file(benchmark: Benchmark, config: str | None, folder: Path) -> Path | None:
    places = [folder / f"{place.format(config=config)}{ending}" for place in benchmark.files for ending in ENDINGS]
    return next((place for place in places if place.is_file()), None)


# Local files


def _from_file(file: Path, folder: Path) -> Documents:
    rows = list(_parquet_rows(file) if file.suffix == ".parquet" else json_lines(file))
    where = f"{file}, {'row' if file.suffix == '.parquet' else 'line'}"
    return Documents(name=file.relative_to(folder).as_posix(), where=where, sha256=sha256_of_file(file), rows=rows)


def _parquet_rows(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        rows = pa.parquet.read_table(file).to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow's messages run over several lines.
        raise BadInput(f"{file} is no readable parquet file ({str(error).splitlines()[0]})") from error
    if not rows:
        raise BadInput(f"{file} is empty; expected one document per row")
    return enumerate(rows, start=1)


# The Hugging Face hub


def _from_hub(benchmark: Benchmark, config: str | None) -> Documents:
    import datasets

    name = ", ".join(part for part in (benchmark.dataset, config, benchmark.split) if part)
    try:
        rows = list(datasets.load_dataset(benchmark.dataset, config, split=benchmark.split))
    except Exception as error:
        # The client lets through errors of a dozen packages: of the network, the hub and the file formats.
        raise OutOfReach(
            f"{name} did not come from the Hugging Face hub ({_first_sentence(error)}); "
            "try again, or give a folder that holds it with --eval-data"
        ) from error
    numbered = list(enumerate(rows, start=1))
    return Documents(name=name, where=f"{name}, row", sha256=sha256_of_json(rows), rows=numbered)


def _first_sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].split(". ")[0]
