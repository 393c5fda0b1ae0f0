"""A model in a comparison: its score record, and the colour it keeps on the whole page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smidgen.errors import BadInput
from smidgen.reports.charts import svg


# Compared by identity: a record is no key.
@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    name: str
    colour: str
    record: Mapping[str, Any]

    @property
    def main_tasks(self) -> list[str]:
        """Whole tasks, without their parts."""
        return [task for task in self.record["scores"] if "/" not in task]

    def score(self, task: str, metric: str) -> dict[str, Any] | None:
        return self.record["scores"].get(task, {}).get(metric)

    def chance(self, task: str) -> float | None:
        """Of a task, or of one of its parts where only the task's is known."""
        baselines = self.record.get("baselines", {})
        return baselines.get(task, baselines.get(task.partition("/")[0], {})).get("chance")


def contenders(records: Sequence[Mapping[str, Any]]) -> list[Contender]:
    """Raises ``BadInput`` for fewer than two records, or for two models of one name."""
    names = [record["model"] for record in records]
    if len(names) < 2:
        raise BadInput(f"a comparison needs the scores of at least two models, given {len(names)}")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise BadInput(f"two models to compare are both called {repeated!r}; give each a name of its own")
    return [
        Contender(name=record["model"], colour=svg.series(number), record=record)
        for number, record in enumerate(records)
    ]
