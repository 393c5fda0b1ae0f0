"""What exactly was measured, and where two records are not alike."""

from collections.abc import Sequence
from typing import Any

from smidgen.reports import words
from smidgen.reports.comparison.contender import Contender

HASH_DIGITS = 12
# Two scores may be compared only where these agree.
_SETTINGS = ("precision", "dtype", "limit", "seed", "device")


def rows(models: Sequence[Contender], metrics: dict[str, str]) -> list[tuple[str, list[str]]]:
    """Property and value for each model."""
    listed = [
        ("Parameters", [_whole(model.record.get("parameters")) for model in models]),
        ("Weights, SHA-256", [_hash(model.record.get("weights_sha256")) for model in models]),
        ("Tokenizer, SHA-256", [_hash(model.record.get("tokenizer_sha256")) for model in models]),
        *((name.capitalize(), [_setting(model, name) for model in models]) for name in (*_SETTINGS, "max_length")),
        ("Items", [_whole(len(model.record.get("items", ()))) for model in models]),
        ("Ties", [_total(model, metrics, "ties") for model in models]),
        ("Truncated", [_total(model, metrics, "truncated") for model in models]),
        ("Scored in", [_time(model.record.get("seconds")) for model in models]),
    ]
    versions = dict.fromkeys(name for model in models for name in model.record.get("versions", {}))
    listed += [(name, [model.record.get("versions", {}).get(name, "–") for model in models]) for name in versions]
    return [(_NAMES.get(name, name), values) for name, values in listed]


def mismatches(models: Sequence[Contender]) -> list[str]:
    """Reasons why scores may differ that are not the models: sentences."""
    named = [
        f"{name.capitalize()} differs: {_by_model(models, name)}."
        for name in _SETTINGS
        if len({_setting(model, name) for model in models}) > 1
    ]
    tasks = dict.fromkeys(task for model in models for task in model.record.get("data", {}))
    other_data = [task for task in tasks if len(_file_sets(models, task)) > 1]
    if other_data:
        named.append(f"The data files differ on {words.listing(other_data)}: these scores are not of the same items.")
    return named


def warnings(models: Sequence[Contender]) -> dict[str, list[str]]:
    """Names of models by sentence: warnings of scoring, and tasks that were left out."""
    found: dict[str, list[str]] = {}
    for model in models:
        skipped = model.record.get("skipped", {})
        left_out = [f"{task} was not scored: {reason}" for task, reason in skipped.items()]
        for sentence in dict.fromkeys([*model.record.get("warnings", ()), *left_out]):
            found.setdefault(sentence, []).append(model.name)
    return found


def data_files(models: Sequence[Contender]) -> list[tuple[str, str, str, str]]:
    """Task, source, file and hash, each once."""
    found = (
        (task, data.get("source", ""), file, digest)
        for model in models
        for task, data in model.record.get("data", {}).items()
        for file, digest in (data.get("files") or {"–": "–"}).items()
    )
    return list(dict.fromkeys(found))


_NAMES = {"Dtype": "Data type", "Limit": "Item limit", "Max_length": "Window, tokens"}


def _setting(model: Contender, name: str) -> str:
    value = model.record.get("settings", {}).get(name)
    return "none" if value is None else str(value)


def _by_model(models: Sequence[Contender], name: str) -> str:
    return words.listing([f"{_setting(model, name)} ({model.name})" for model in models])


def _file_sets(models: Sequence[Contender], task: str) -> set[tuple[tuple[str, str], ...]]:
    """Different sets of files among the models that were scored on a task."""
    data: list[dict[str, Any]] = [model.record.get("data", {}).get(task) for model in models]
    return {tuple(sorted((one.get("files") or {}).items())) for one in data if one}


def _total(model: Contender, metrics: dict[str, str], kind: str) -> str:
    scores = [score for task, metric in metrics.items() if (score := model.score(task, metric))]
    return words.exact(sum(score.get(kind) or 0 for score in scores))


def _whole(number: int | None) -> str:
    return "–" if number is None else words.exact(number)


def _hash(digest: str | None) -> str:
    return digest[:HASH_DIGITS] if digest else "–"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else words.duration(seconds)
