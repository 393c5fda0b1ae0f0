"""What a training left on disk, in forms that can be compared."""

import json

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.records import manifest

# What differs between equal trainings: time, and which checkpoint was best of those that there happened to be (one
# more for each interruption).
INCIDENTAL = ("seconds", "best_step", "best_bits_per_byte")


def final_state(run):
    """The newest checkpoint's weights and optimiser state as bytes, and its state without what is incidental."""
    checkpoint, notices = newest_checkpoint(run.checkpoints)
    assert notices == []
    state = {key: value for key, value in checkpoint.state.items() if key not in INCIDENTAL}
    parts = {file.name: file.read_bytes() for file in sorted(checkpoint.path.glob("*.safetensors"))}
    assert {"model.safetensors", "optimizer.safetensors"} <= parts.keys()
    return state, parts


def valid_steps(run):
    """The steps of all checkpoints whose every byte is right, rising."""
    folders = sorted(run.checkpoints.glob("step-*")) if run.checkpoints.is_dir() else []
    return [json.loads((path / "state.json").read_text())["step"] for path in folders if not manifest.damage(path)]
