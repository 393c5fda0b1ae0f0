"""An ablation of models with five thousand parameters, whose trials take a second each."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from smidgen.lab.ablation.definition import read_ablation
from smidgen.lab.ablation.trial import plan_trials
from smidgen.records import atomic, measurements
from smidgen.trials.ablation_run import Conditions, run_ablation, stored_rates
from smidgen.trials.folder import AblationFolder
from smidgen.trials.watcher import AblationWatcher


def read(path):
    return json.loads(path.read_text())


@dataclass(frozen=True)
class Try:
    """A definition and the folder in which it is carried out."""

    file: Path
    folder: AblationFolder

    @property
    def ablation(self):
        return read_ablation(self.file)

    @property
    def trials(self):
        return plan_trials(self.ablation, stored_rates(self.folder))

    def run(self, watcher=None, **conditions):
        conditions = {"workers": 2, "watcher": watcher or AblationWatcher(), **conditions}
        run_ablation(self.ablation, self.folder.path, self.file, Conditions(**conditions))

    def records(self):
        return {trial.folder_name: read(self.folder.record_of(trial.folder_name)) for trial in self.trials}


@pytest.fixture
def new_try(write_ablation, tmp_path):
    """A definition with a fresh folder, or with that of another try."""

    def call(folder=None, **definition):
        file = write_ablation(tmp_path / "small.toml", **definition)
        return Try(file=file, folder=folder or AblationFolder(tmp_path / "run"))

    return call


@pytest.fixture(scope="session")
def finished(write_ablation, tmp_path_factory):
    """An ablation that nothing disturbed: two seeds of the base and of one variant; not to be changed."""
    place = tmp_path_factory.mktemp("finished")
    done = Try(file=write_ablation(place / "small.toml"), folder=AblationFolder(place / "run"))
    done.run()
    return done


@pytest.fixture
def measured():
    """Let a trial have been measured: bits per byte by step."""

    def call(folder, trial, values):
        run = folder.run_of(trial.folder_name)
        atomic.make_directories(run.path)
        for step, value in values.items():
            measurements.append(run.measurements, measurements.HELD_OUT, step=step, bits_per_byte=value)

    return call
