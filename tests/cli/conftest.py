import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from smidgen.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        """The one object on stdout; anything else there is an error."""
        return json.loads(self.out)


@pytest.fixture
def smidgen(capsys):
    """Run a command in this process and catch its exit code and output."""

    def call(*words):
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as leaving:
            code = leaving.code or 0
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def start_smidgen():
    """Start a command in a process of its own, ended at the latest with the test."""
    running = []

    def call(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "smidgen", *(str(word) for word in words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        running.append(process)
        return process

    yield call
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def tiny_options(tiny_overrides):
    return [word for override in tiny_overrides for word in ("--set", override)]
