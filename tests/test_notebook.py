"""The notebook's code cells, run one after the other on a CPU: a session that its time ends, and one that goes on.

They run as one script in a process of their own, which needs no Jupyter; only the first cell's values are replaced.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.records import manifest, measurements
from smidgen.records.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
NOTEBOOK = json.loads((ROOT / "notebooks" / "kaggle.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
PARAMETERS, *OTHERS = CODE
# As long as it takes to come to training, about: several of the limits below end in its midst.
STEPS = 400


@pytest.fixture
def session(tmp_path, tiny_overrides):
    """Run the notebook with fresh outputs and the outputs of earlier sessions attached; returns what it printed."""

    def call(outputs, *, attached=(), seconds=0):
        inputs = tmp_path / f"input-of-{outputs.name}"
        for number, earlier in enumerate(attached):
            place = inputs / f"session-{number}"
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(earlier)
        settings = [
            f"training.tokens={512 * STEPS}",
            "training.checkpoint_steps=100",
            "evaluation.tasks=['arithmark2-generated']",
        ]
        values = {
            "NAME": "tiny",
            "SETTINGS": [*tiny_overrides, *settings],
            "SESSION_SECONDS": seconds,
            "SPARE_SECONDS": 0,
            "OUTPUTS": str(outputs),
            "INPUTS": str(inputs),
        }
        given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        script = tmp_path / f"{outputs.name}.py"
        script.write_text("\n".join(["".join(PARAMETERS["source"]), given, *("".join(c["source"]) for c in OTHERS)]))
        process = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    return call


def lines_of_training(run):
    return measurements.read(run.measurements, measurements.TRAINING)


@pytest.mark.timeout(600)
def test_a_session_ended_by_time_is_finished_by_the_next(session, tmp_path):
    # How long it takes to come to training depends on the machine and what else it does.
    attached = []
    for seconds in (4, 6, 8, 12, 17, 24, 34, 48):
        first = RunFolder(tmp_path / f"outputs-{seconds}" / "tiny")
        printed = session(first.path.parent, attached=attached, seconds=seconds)
        assert "out of time" in printed
        assert "run this notebook again" in printed
        checkpoint, _ = newest_checkpoint(first.checkpoints)
        if checkpoint is not None and checkpoint.step:
            break
        attached = [first.path.parent]
    assert 0 < checkpoint.step < STEPS
    assert str(first.report / "loss_curve.png") in printed
    assert "[Tom and Ruth]" in printed
    assert not (first.scores / "recipe.json").exists()

    # Inputs of Kaggle are read-only. An older output may be attached as well.
    older = tmp_path / "older" / "tiny"
    older.mkdir(parents=True)
    (older / "recipe.json").write_text("{}")
    subprocess.run(["chmod", "-R", "a-w", first.path], check=True)
    second = RunFolder(tmp_path / "outputs-last" / "tiny")
    printed = session(second.path.parent, attached=[older.parent, first.path.parent])
    assert f"from step {checkpoint.step}\n" in printed
    assert "training is finished" in printed
    assert "arithmark2-generated" in printed
    before, after = lines_of_training(first), lines_of_training(second)
    assert after[: len(before)] == before
    assert after[-1]["step"] == newest_checkpoint(second.checkpoints)[0].step == STEPS
    assert {"hf", "hf.json"} <= {path.name for path in second.exports.iterdir()}
    assert manifest.verify_tree(second.path)[1] == []
    # The run is all there is.
    assert list(second.path.parent.iterdir()) == [second.path]


def test_where_smidgen_is_has_to_be_said(tmp_path):
    """Without it the cell that installs ends with a sentence rather than in a failing import further down."""
    [install] = [cell for cell in CODE if cell["id"] == "install"]
    nothing_installed = "import importlib.util\nimportlib.util.find_spec = lambda name: None\nSMIDGEN = ''\n"
    script = nothing_installed + "".join(install["source"])
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert process.returncode == 1
    assert "say in the first cell where it is" in process.stderr


def test_the_file_holds_no_outputs_and_its_parameters_come_first():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CODE)
    assert PARAMETERS["metadata"]["tags"] == ["parameters"]
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])
