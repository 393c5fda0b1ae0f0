"""Who is told how an ablation goes. The command line shows it; tests and programs may stay silent."""

from typing import Any

from smidgen.trials.forecast import Forecast


class AblationWatcher:
    """Does nothing with what it is told. Trials are named by their folders: "no-xsa/seed-2"."""

    def planned(self, forecast: Forecast) -> None:
        """Before anything runs."""

    def preparing(self, what: str) -> None:
        """Work on what the trials share has begun."""

    def counted(self, what: str, done: int, total: int) -> None:
        """``done`` of about ``total`` tokens of a source are in shards."""

    def started(self, trial: str) -> None:
        """A worker has taken a trial."""

    def told(self, trial: str, event: dict[str, Any]) -> None:
        """Where a running trial stands: its ``stage``, or ``step``, ``loss`` and so on of its training."""

    def left(self, trial: str) -> None:
        """Nobody of this process works on a trial any more; it may go on later."""

    def ended(self, trial: str, record: dict[str, Any]) -> None:
        """A trial has its record, whoever carried it out."""

    def noticed(self, message: str) -> None:
        """Something that the user should know and that stops nothing."""
