"""The official files of ArithMark 1, 2 and 3, read by path and held against their published hashes.

Context and ending are tokenised apart, without special tokens, as the benchmark's own scripts do.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.arithmark_floors import floor_baselines
from smidgen.evaluation.tasks.documents import OutOfReach
from smidgen.evaluation.tasks.equation_groups import equation_groups
from smidgen.evaluation.tasks.item import Choice, Task
from smidgen.evaluation.tasks.json_lines import json_lines
from smidgen.records.fingerprint import sha256_of_file

Version = Literal[1, 2, 3]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class OfficialFile:
    """Where a version is published. Without ``sha256`` nothing says which file is the right one."""

    dataset: str
    names: tuple[str, ...]
    revision: str = ""
    sha256: str = ""


# Version 1 was published under two names and its hash is not known.
OFFICIAL_FILES: dict[Version, OfficialFile] = {
    1: OfficialFile(dataset="AxiomicLabs/ArithMark", names=("arithmark.jsonl", "mathmark.jsonl")),
    2: OfficialFile(
        dataset="AxiomicLabs/ArithMark-2.0",
        names=("arithmark_2.0.jsonl",),
        revision="5bd986c7305dcccec88432d630aae1ac9280a71f",
        sha256="c245b4e50e603b32814d4f489f64934f9eeb4488ae29f744d906c8e3f326ebcd",
    ),
    3: OfficialFile(
        dataset="AxiomicLabs/Arithmark-3.0",
        names=("arithmark-3.jsonl",),
        revision="6f6e59dd9b7e2c63455f7af7f838f9ecc3d0a746",
        sha256="bf8ab1a5193d52cdf0e05ff0b3ca226bdfcf416cb6e75562dcbe72e7e4559435",
    ),
}
# The metric to quote first. Version 2: the sum of log-probabilities; version 3: their mean per token. That version 1
# is scored like version 2 is assumed: its script was not seen.
METRICS: dict[Version, tuple[str, ...]] = {1: ("acc",), 2: ("acc",), 3: ("acc_norm", "acc")}


def open_arithmark(version: Version, path: Path, *, limit: int | None = None) -> Task:
    """The task "arithmark1", "arithmark2" or "arithmark3" of an official file, its first ``limit`` items.

    Raises ``BadInput`` for a file that cannot be read, has another hash than the official one, or is malformed.
    """
    sha256 = _checked_hash(version, path)
    items = _items(version, path)[:limit]
    official = OFFICIAL_FILES[version]
    kind = f"official file of {official.dataset}" if official.sha256 else "unverified file"
    return arithmark_task(
        f"arithmark{version}", version, items, source=f"{kind}: {path.name}", files={path.name: sha256}
    )


def arithmark_task(
    name: str, version: Version, items: list[Choice], *, source: str, files: dict[str, str] | None = None
) -> Task:
    """Official or generated items under the rules of ``version``, with their floors."""
    return Task(
        name=name,
        title=f"ArithMark {version}" + (" (generated)" if files is None else ""),
        metrics=METRICS[version],
        items=items,
        jointly=False,
        token_mean=version == 3,
        source=source,
        files=files or {},
        baselines=floor_baselines(items),
    )


def find_arithmark(version: Version, folder: Path | None) -> Path:
    """The official file below an evaluation folder, or without one from the Hugging Face hub.

    Raises ``BadInput`` where it is in neither place.
    """
    official = OFFICIAL_FILES[version]
    if folder is None:
        return _download(version, official)
    candidates = [place / name for place in (folder / f"arithmark{version}", folder) for name in official.names]
    for path in candidates:
        if path.is_file():
            return path
    raise BadInput(
        f"{folder} holds no {' or '.join(official.names)}, here or in arithmark{version}/; put the file of the "
        f"dataset {official.dataset} there, or score {_generated(version)}, whose items are made here"
    )


def _download(version: Version, official: OfficialFile) -> Path:
    if not official.revision:
        raise BadInput(
            f"ArithMark {version} has no known revision on the hub; give a folder with {official.names[0]}, "
            f"or score {_generated(version)}"
        )
    try:
        from huggingface_hub import hf_hub_download

        return Path(
            hf_hub_download(official.dataset, official.names[0], repo_type="dataset", revision=official.revision)
        )
    except Exception as error:
        # The client raises errors of several packages: of the network, of the hub, of its cache.
        raise OutOfReach(
            f"ArithMark {version} could not be fetched from the hub ({type(error).__name__}); give a folder with "
            f"{official.names[0]}, or score {_generated(version)}"
        ) from error


def _checked_hash(version: Version, path: Path) -> str:
    try:
        given = sha256_of_file(path)
    except OSError as error:
        raise BadInput(
            f"ArithMark {version}: {path} cannot be read ({error.strerror}); give the .jsonl file"
        ) from error
    expected = OFFICIAL_FILES[version].sha256
    if expected and given != expected:
        raise BadInput(
            f"{path} has SHA-256 {given}, ArithMark {version} has {expected}; give the official file of "
            f"{OFFICIAL_FILES[version].dataset}, or --tasks {_generated(version)}"
        )
    return given


def _generated(version: Version) -> str:
    return f"arithmark{version}-generated"


def _items(version: Version, path: Path) -> list[Choice]:
    items: list[Choice] = []
    seen: Counter[str] = Counter()
    for number, row in json_lines(path):
        try:
            items.append(_ITEM_OF[version](row, seen))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise BadInput(
                f"{path}, line {number} is no item of ArithMark {version}: {type(error).__name__} {error}"
            ) from error
    return items


def _item_of_1(row: Row, seen: Counter[str]) -> Choice:
    """Fields as on the dataset's page: expression "20 + -13 =", options (numbers), answer_index, n_operands."""
    texts = tuple(number_text(option) for option in row["options"])
    return expression_item(
        row["expression"], texts, int(row["answer_index"]), (f"{row['n_operands']} operands",), seen
    )


def _item_of_2(row: Row, seen: Counter[str]) -> Choice:
    texts = tuple(_without_space(ending) for ending in row["endings"])
    return expression_item(row["ctx"], texts, int(row["label"]), equation_groups(expression_of(row["ctx"])), seen)


def _item_of_3(row: Row, seen: Counter[str]) -> Choice:
    return Choice(
        key=_distinct(str(row["ind"]), seen),
        contexts=(row["ctx"],),
        endings=tuple(row["endings"]),
        texts=tuple(_without_space(ending) for ending in row["endings"]),
        labels=(int(row["label"]),),
        groups=(str(row["activity_label"]),),
    )


_ITEM_OF: dict[Version, Callable[[Row, Counter[str]], Choice]] = {1: _item_of_1, 2: _item_of_2, 3: _item_of_3}


def expression_item(
    context: str, texts: tuple[str, ...], label: int, groups: tuple[str, ...], seen: Counter[str]
) -> Choice:
    """An equation to complete, such as "59 + 45 ="; its key is the expression, numbered where it occurs again."""
    return Choice(
        key=_distinct(expression_of(context), seen),
        contexts=(context,),
        endings=tuple(f" {text}" for text in texts),
        texts=texts,
        labels=(label,),
        groups=groups,
    )


def expression_of(context: str) -> str:
    return context.removesuffix("=").strip()


def number_text(value: float) -> str:
    """A number without ".0" and with at most the four decimals that ArithMark 1 rounds to."""
    rounded = round(value, 4)
    return str(int(rounded)) if rounded == int(rounded) else f"{rounded:.4f}".rstrip("0")


def _without_space(ending: str) -> str:
    if not ending.startswith(" ") or not ending.strip():
        raise ValueError(f"ending {ending!r} is no text after a leading space")
    return ending[1:]


def _distinct(key: str, seen: Counter[str]) -> str:
    seen[key] += 1
    return key if seen[key] == 1 else f"{key} #{seen[key]}"
