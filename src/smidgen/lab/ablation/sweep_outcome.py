"""What became of a sweep's trials, and which of them are confirmed: read from the folder at any time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smidgen.lab.ablation.definition import Ablation, Variant
from smidgen.lab.ablation.identity import decisive
from smidgen.lab.ablation.outcome import FINISHED, PENDING, TRIAL_NAME
from smidgen.lab.ablation.sweep import NAME_PREFIX, Settings, Sweep
from smidgen.lab.ablation.sweep_pruning import Judgement
from smidgen.lab.ablation.trial import folder_name
from smidgen.records import manifest

# Below the ablation's folder: a file for each trial that was asked for, and the choice of those to be confirmed.
SWEEP_FOLDER, CONFIRMED_NAME = "sweep", "confirmed.json"
_TRIAL_FILE = re.compile(r"\d{3,}\.json")


@dataclass(frozen=True, kw_only=True)
class SweepTrial:
    """``bits_per_byte`` are those of all held-out text at the end, ``None`` for a trial that did not finish."""

    number: int
    settings: Settings
    judgements: tuple[Judgement, ...]
    seed: int
    state: str = PENDING
    message: str = ""
    bits_per_byte: float | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """As of a variant: "sweep-007"."""
        return f"{NAME_PREFIX}{self.number:03d}"

    @property
    def folder_name(self) -> str:
        return folder_name(self.name, self.seed, 1)

    @property
    def is_stopped(self) -> bool:
        """Whether the pruner has decided against it."""
        return any(not judgement.goes_on for judgement in self.judgements)

    def as_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "settings": self.settings,
            "state": self.state,
            "message": self.message,
            "bits_per_byte": self.bits_per_byte,
            "seconds": self.seconds,
            "judged": [judgement.as_dict() for judgement in self.judgements],
            "seed": self.seed,
            "folder": f"trials/{self.folder_name}",
        }


def trial_file(folder: Path, number: int) -> Path:
    return folder / SWEEP_FOLDER / f"{number:03d}.json"


def read_sweep_trials(folder: Path, sweep: Sweep) -> list[SweepTrial]:
    """All that were asked for, in the order of their numbers; ``folder`` is the ablation's."""
    files = [file for file in (folder / SWEEP_FOLDER).glob("*.json") if _TRIAL_FILE.fullmatch(file.name)]
    trials = [_read(folder, record, sweep) for file in files if (record := manifest.read_record(file))]
    return sorted(trials, key=lambda trial: trial.number)


def ranked(trials: Iterable[SweepTrial]) -> list[SweepTrial]:
    """Those that finished, the best first; of equal ones the earlier."""
    finished = [(trial.bits_per_byte, trial.number, trial) for trial in trials if trial.state == FINISHED]
    return [trial for _, _, trial in sorted(finished, key=lambda one: one[:2])]


def is_over(sweep: Sweep, trials: Sequence[SweepTrial]) -> bool:
    return len(trials) >= sweep.planned and all(trial.state != PENDING for trial in trials)


def choose(ablation: Ablation, trials: Sequence[SweepTrial]) -> list[dict[str, Any]]:
    """The best settings with the names of variants, as ``confirmed.json`` keeps them.

    What trains the same model as the base or a variant is passed over: its verdict is there already.
    """
    assert ablation.sweep is not None
    known = [decisive(one.recipe) for one in ablation.everyone]
    chosen: list[dict[str, Any]] = []
    for trial in ranked(trials):
        content = decisive(ablation.variant(trial.name, trial.settings).recipe)
        if len(chosen) < ablation.sweep.confirm and content not in known:
            known.append(content)
            name = f"{NAME_PREFIX}{ordinal(len(chosen) + 1)}"
            chosen.append({"variant": name, "number": trial.number, "settings": trial.settings})
    return chosen


def read_confirmed(folder: Path) -> list[dict[str, Any]] | None:
    """What was chosen, ``None`` before that."""
    return manifest.read_record(folder / SWEEP_FOLDER / CONFIRMED_NAME).get("confirmed")


def with_confirmed(ablation: Ablation, folder: Path) -> Ablation:
    """The ablation with the best settings of its sweep among the variants, as soon as they are known."""
    chosen = read_confirmed(folder) if ablation.sweep is not None else None
    if not chosen:
        return ablation
    found: list[Variant] = [ablation.variant(one["variant"], one["settings"]) for one in chosen]
    return replace(ablation, variants=(*ablation.variants, *found))


def ordinal(number: int) -> str:
    """ "1st", "2nd", "3rd", "4th", "11th", "21st"."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _read(folder: Path, record: dict[str, Any], sweep: Sweep) -> SweepTrial:
    asked = SweepTrial(
        number=record["number"],
        settings=record["settings"],
        judgements=tuple(Judgement(**one) for one in record["judged"]),
        seed=sweep.seed,
    )
    ended = manifest.read_record(folder / "trials" / asked.folder_name / TRIAL_NAME)
    if not ended:
        return asked
    return replace(
        asked,
        state=ended["state"],
        message=ended.get("message", ""),
        bits_per_byte=ended.get("bits_per_byte"),
        seconds=ended.get("seconds"),
    )
