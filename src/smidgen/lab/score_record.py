"""A model's score record as ``smidgen evaluate`` wrote it, read for comparison: results of every item by task."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from smidgen.errors import BadInput
from smidgen.lab.metric import Metric
from smidgen.records.run_folder import RunFolder

# What an item's name and its place among items of the same name make unique.
Identity = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class ScoredTask:
    """One task of a record: its metrics (that to quote first), its items and the hashes of the files they came from.

    ``limit`` is the bound on items that was asked for, ``None`` for all of them.
    """

    name: str
    metrics: dict[str, dict[str, Any]]
    items: tuple[dict[str, Any], ...]
    files: dict[str, str]
    limit: int | None
    seed: int | None
    max_length: int | None
    precision: str | None

    @property
    def primary(self) -> Metric:
        return Metric(next(iter(self.metrics)))

    @cached_property
    def by_identity(self) -> dict[Identity, dict[str, Any]]:
        """Items by name; of several with one name the first is paired with the first, and so on."""
        seen: Counter[str] = Counter()
        named = {}
        for item in self.items:
            key = str(item["item"])
            named[key, seen[key]] = item
            seen[key] += 1
        return named


@dataclass(frozen=True, kw_only=True)
class ScoreRecord:
    """A model with its scored tasks. ``label`` tells it from the others in one table; ``content`` is the JSON."""

    label: str
    origin: str
    model: str
    parameters: int | None
    weights_sha256: str
    tokenizer_sha256: str
    tasks: dict[str, ScoredTask]
    content: Mapping[str, Any]

    def task(self, name: str) -> ScoredTask | None:
        """The task, if its items are there to be compared."""
        found = self.tasks.get(name)
        return found if found is not None and found.items else None


def read_record(path: Path) -> ScoreRecord:
    """Read a score file, or of a run folder the newest results of its newest weights, task by task.

    Raises ``BadInput`` for a model without scores, a damaged file or one without per-item results.
    """
    if path.is_file():
        return record_of(_read_json(path), origin=str(path))
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder; give a run folder or a score file of `smidgen evaluate`")
    records = [record_of(_read_json(file), origin=str(path)) for file in _newest_first(RunFolder(path).scores)]
    if not records:
        raise BadInput(f"{path} has no scores yet; {_how_to_score(path)}")
    return merged(records)


def record_of(content: dict[str, Any], *, origin: str) -> ScoreRecord:
    """Check plain data and give it its form; ``origin`` names it in messages. Raises ``BadInput``."""
    with _damage_named(origin):
        record = ScoreRecord(
            label=str(content["model"]),
            origin=origin,
            model=str(content["model"]),
            parameters=_optional_whole(content.get("parameters")),
            weights_sha256=str(content.get("weights_sha256") or ""),
            tokenizer_sha256=str(content.get("tokenizer_sha256") or ""),
            tasks=_tasks(content),
            content=content,
        )
    if not any(task.items for task in record.tasks.values()):
        raise BadInput(
            f"{origin} holds no results of single items, without which nothing can be paired; "
            "give the file that `smidgen evaluate MODEL --out FILE` writes, not what it prints"
        )
    return record


def merged(records: Sequence[ScoreRecord]) -> ScoreRecord:
    """One record of the newest weights from several, newest first; a task counts where its items are newest."""
    result = records[0]
    for record in records[1:]:
        if record.weights_sha256 == result.weights_sha256:
            added = {name: task for name, task in record.tasks.items() if task.items and result.task(name) is None}
            content = _with_tasks(result.content, record.content, set(added))
            result = replace(result, tasks=result.tasks | added, content=content)
    return result


def labelled(records: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    """The records with labels that differ: models of one name get their origin, then a number."""
    names = Counter(record.model for record in records)
    wanted = [f"{one.model} ({one.origin})" if names[one.model] > 1 else one.model for one in records]
    seen: Counter[str] = Counter()
    result = []
    for record, label in zip(records, wanted, strict=True):
        seen[label] += 1
        result.append(replace(record, label=label if seen[label] == 1 else f"{label} #{seen[label]}"))
    return result


def _with_tasks(content: Mapping[str, Any], older: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The content with some tasks of an older record: their scores and parts, items, files and baselines."""
    joined = dict(content)
    for key in ("scores", "baselines", "data"):
        taken = {name: value for name, value in (older.get(key) or {}).items() if name.partition("/")[0] in names}
        joined[key] = {**(content.get(key) or {}), **taken}
    joined["items"] = [*(content.get("items") or []), *(item for item in older["items"] if item["task"] in names)]
    return joined


def _tasks(content: dict[str, Any]) -> dict[str, ScoredTask]:
    settings = content.get("settings") or {}
    items: dict[str, list[dict[str, Any]]] = {}
    for item in content.get("items") or []:
        _check_item(item)
        items.setdefault(item["task"], []).append(item)
    return {
        name: ScoredTask(
            name=name,
            metrics={metric: _checked_score(score) for metric, score in metrics.items()},
            items=tuple(items.get(name, ())),
            files=dict(((content.get("data") or {}).get(name) or {}).get("files") or {}),
            limit=_optional_whole(settings.get("tasks", {}).get(name, {}).get("limit", settings.get("limit"))),
            seed=settings.get("seed"),
            max_length=settings.get("max_length"),
            precision=settings.get("precision"),
        )
        for name, metrics in content["scores"].items()
        if "/" not in name and metrics
    }


def _check_item(item: dict[str, Any]) -> None:
    """Every number of an item must be finite: a NaN would win or lose by accident of ordering."""
    if not isinstance(item["task"], str) or "item" not in item:
        raise ValueError("an item has no name")
    for key, value in item.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"item {item['item']}: {key} is {value}")


def _checked_score(score: dict[str, Any]) -> dict[str, Any]:
    if not math.isfinite(score["value"]) or score["n"] < 1:
        raise ValueError(f"a score is {score['value']} of {score['n']} items")
    return score


def _optional_whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)


def _how_to_score(path: Path) -> str:
    if RunFolder(path).exists:
        return f"run `smidgen evaluate {path}` first"
    return f"run `smidgen evaluate {path} --out SCORES.json` first and give that file"


def _read_json(path: Path) -> dict[str, Any]:
    with _damage_named(str(path)):
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        if not isinstance(value, dict):
            raise TypeError("expected one JSON object")
        return value


@contextmanager
def _damage_named(origin: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise BadInput(
            f"{origin} is damaged or no score record ({reason}); give a file that `smidgen evaluate` wrote, "
            "or score the model again"
        ) from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
