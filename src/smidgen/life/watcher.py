"""Who is told how a run goes. The command line shows it; tests and programs may stay silent."""

from typing import Any

from smidgen.training.progress import Progress


class Watcher:
    """Does nothing with what it is told."""

    def stage_started(self, stage: str) -> None: ...

    def stage_finished(self, stage: str, result: dict[str, Any], seconds: float) -> None: ...

    def counted(self, what: str, done: int, total: int) -> None:
        """``done`` of about ``total`` units of ``what`` (tokens of a source, say) are finished."""

    def scoring(self, task: str) -> None: ...

    def trained(self, progress: Progress) -> None: ...

    def measured(self, record: dict[str, Any]) -> None:
        """A line of ``measurements.jsonl`` was written."""

    def noticed(self, message: str) -> None:
        """Something that the user should know and that does not stop the run."""
