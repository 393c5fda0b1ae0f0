"""What a report cannot show yet, and which command makes it."""

from dataclasses import dataclass

from smidgen.reports.run_records import RunRecords


@dataclass(frozen=True)
class Absence:
    what: str
    reason: str


# The field of the records, what a reader misses, and which command makes it.
_PARTS = (
    ("recipe", "recipe", "recipe.json is missing"),
    ("design", "parameter budget", "smidgen design writes it"),
    ("tokenizer", "tokenizer quality", "smidgen tokenizer inspect writes it"),
    ("data", "data sources", "smidgen data build writes them"),
    ("mixture", "mixture over time", "smidgen train writes it"),
    ("training", "training curve", "smidgen train writes it"),
    ("score_files", "scores", "smidgen evaluate writes them"),
    ("samples", "samples", "smidgen run writes them after training"),
    ("exports", "exports", "smidgen export writes them"),
    ("manifest", "versions, hardware and cost of the stages", "smidgen run writes them"),
)


def absences(records: RunRecords) -> list[Absence]:
    return [Absence(what, reason) for field, what, reason in _PARTS if not getattr(records, field)]
