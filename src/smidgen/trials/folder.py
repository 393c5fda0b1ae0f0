"""The layout of an ablation's folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smidgen.lab.ablation.outcome import TRIAL_NAME
from smidgen.lab.ablation.trial import Trial
from smidgen.records.atomic import TEMPORARY_PREFIX
from smidgen.records.run_folder import RunFolder


@dataclass(frozen=True)
class AblationFolder:
    """Paths inside the folder of an ablation. Trials are named by their ``folder_name``."""

    path: Path

    @property
    def source(self) -> Path:
        """A copy of the file that describes it."""
        return self.path / "ablation.toml"

    @property
    def definition(self) -> Path:
        return self.path / "definition.json"

    @property
    def rates(self) -> Path:
        """Tokens per second by variant, where these decide over the budget."""
        return self.path / "rates.json"

    @property
    def shared(self) -> Path:
        return self.path / "shared"

    @property
    def result(self) -> Path:
        return self.path / "ablation.json"

    @property
    def is_occupied(self) -> bool:
        """Whether there is a file in its place, or anything in it that has been written to the end."""
        return self.path.exists() and (not self.path.is_dir() or bool(self._names()))

    @property
    def has_begun(self) -> bool:
        """Whether there is more than what comes before the first trial."""
        before = {path.name for path in (self.source, self.definition, self.rates, self.shared)} | {"logs", "claims"}
        return not self._names() <= before

    def _names(self) -> set[str]:
        return {path.name for path in self.path.iterdir() if not path.name.startswith(TEMPORARY_PREFIX)}

    def run_of(self, trial: str) -> RunFolder:
        return RunFolder(self.path / "trials" / trial)

    def record_of(self, trial: str) -> Path:
        return self.run_of(trial).path / TRIAL_NAME

    def log_of(self, trial: str) -> Path:
        """What the processes of a trial printed."""
        return self.path / "logs" / f"{trial.replace('/', '.')}.txt"

    def claim_of(self, trial: str) -> Path:
        """The file whose lock means that somebody works on a trial."""
        return self.path / "claims" / f"{trial.replace('/', '.')}.lock"

    def has_ended(self, trial: str) -> bool:
        return self.record_of(trial).is_file()

    def all_ended(self, trials: Sequence[Trial]) -> bool:
        return all(self.has_ended(trial.folder_name) for trial in trials)
