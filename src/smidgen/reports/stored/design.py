"""``design.json``: what the model's parts cost and what the diagnosis found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smidgen.reports.stored.json_file import damage_named, read_object
from smidgen.reports.stored.values import mapping, numbers, optional, sequence, text, whole


@dataclass(frozen=True, kw_only=True)
class Finding:
    code: str
    severity: str
    message: str
    evidence: str
    suggestion: str


@dataclass(frozen=True, kw_only=True)
class StoredDesign:
    """``parts`` holds the parameters of each part that has any; they sum to ``total``."""

    total: int
    parts: dict[str, int]
    flops_per_token: dict[str, float]
    memory: dict[str, float]
    findings: tuple[Finding, ...]


def read_design(path: Path) -> StoredDesign | None:
    with damage_named(path):
        stored = read_object(path)
        return None if stored is None else _design(stored)


def _design(stored: dict[str, Any]) -> StoredDesign:
    parameters = {part: whole(number) for part, number in mapping(stored["parameters"]).items()}
    total = parameters.pop("total")
    return StoredDesign(
        total=total,
        parts={part: number for part, number in parameters.items() if number},
        flops_per_token=numbers(stored.get("flops_per_token") or {}),
        memory=numbers(stored.get("memory") or {}),
        findings=tuple(_finding(mapping(finding)) for finding in sequence(stored.get("findings") or [])),
    )


def _finding(finding: dict[str, Any]) -> Finding:
    return Finding(
        code=text(finding["code"]),
        severity=text(finding["severity"]),
        message=text(finding["message"]),
        evidence=optional(text, finding.get("evidence"), ""),
        suggestion=optional(text, finding.get("suggestion"), ""),
    )
