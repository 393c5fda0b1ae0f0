"""One thing to know about a design before training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from smidgen.design.evidence import Evidence, strongest, told

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``changes`` are the keys of a recipe, and their values, that cure what was found: the fewest and smallest.

    ``effect`` says what the changes cost or what else there is to know. An "error" is a fact that no training mends,
    a "warning" something that others blame or that we would not do, a "note" something to know.
    """

    code: str
    severity: Severity
    message: str
    evidence: tuple[Evidence, ...]
    changes: Mapping[str, Any] = field(default_factory=dict)
    effect: str = ""

    @property
    def suggestion(self) -> str:
        settings = ", ".join(f"{key}={_as_toml(value)}" for key, value in self.changes.items())
        return "; ".join(part for part in (settings, self.effect) if part)

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "evidence": told(self.evidence),
            "strength": strongest(self.evidence),
            "suggestion": self.suggestion,
            "changes": dict(self.changes),
            "sources": [asdict(item) for item in self.evidence],
        }


def _as_toml(value: Any) -> str:
    return (
        str(value).lower() if isinstance(value, bool) else f"{value:.12g}" if isinstance(value, float) else str(value)
    )
