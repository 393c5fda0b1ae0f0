"""A hundred steps of a frozen small model through the real training loop, on one thread.

On the machine where they were pinned the losses are the same to the last bit; elsewhere, where sums may be taken in
another order, within 1e-4. Tokens come from a formula, and the recipe names all that its numbers depend on.
To pin them again: python tests/golden/test_training_losses.py
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smidgen.checkpoints.checkpoint import require_checkpoint
from smidgen.data.shards import Shard
from smidgen.data.training_data import TrainingData
from smidgen.recipes.loading import load_recipe
from smidgen.records import measurements
from smidgen.records.environment import hardware
from smidgen.records.run_folder import RunFolder
from smidgen.training.trainer import train

PINNED = Path(__file__).with_name("training_losses.json")
STEPS = 100
ELSEWHERE = 1e-4
RECIPE = (
    "name=golden",
    "design.vocab_size=300",
    "design.hidden_size=24",
    "design.num_layers=2",
    "design.num_heads=3",
    "design.num_kv_heads=1",
    "design.head_dim=8",
    "design.intermediate_size=40",
    "design.context_length=20",
    "design.rope_theta=2500.0",
    "data.curriculum=[{at=0, weights={a=0.6, b=0.4}}, {at=1, weights={a=0.3, b=0.7}}]",
    'data.sources={a={generator="grammar"}, b={generator="arithmetic"}}',
    "training.tokens=12_000",
    "training.batch_tokens=120",  # 6 windows in 2 forward passes
    "training.micro_batch_size=3",
    "training.peak_learning_rate=4e-3",
    "training.minimum_learning_rate=1e-4",
    "training.schedule=wsd",
    "training.warmup_steps=5",
    "training.decay_start=0.6",
    "training.optimizer=adamw",
    "training.beta1=0.9",
    "training.beta2=0.95",
    "training.epsilon=1e-8",
    "training.weight_decay=0.05",
    "training.gradient_clip=0.8",
    "training.precision=fp32",
    "training.compile=false",
    "training.seed=3",
    "training.log_steps=1",
    "training.held_out_steps=1000",
    "training.checkpoint_steps=1000",
)


def shard(multiplier: int, documents: int) -> Shard:
    """Documents of 50 tokens in which each token follows from the one before it, now and then with a surprise."""
    ids = [1]
    while len(ids) < 50 * documents:
        ids.append((multiplier * ids[-1] + (5 if len(ids) % 7 else len(ids) // 7)) % 61)
    offsets = np.arange(0, len(ids), 50, dtype=np.uint64)
    return Shard(
        path=Path("shard"),
        vocab_size=300,
        tokens=np.array(ids, dtype=np.uint16),
        document_offsets=offsets,
        document_bytes=np.full(len(offsets), 100, dtype=np.uint64),
        text_bytes=100 * documents,
        tokenizer_fingerprint="",
        content_sha256="",
    )


def golden_data() -> TrainingData:
    return TrainingData(
        folder=Path("data"),
        index={"context_length": 20, "end_of_text_id": 299},
        train={"a": shard(3, 200), "b": shard(7, 150)},
        held_out={"a": shard(3, 2), "b": shard(7, 2)},
    )


def losses_of_training(folder: Path, *changes: str) -> list[float]:
    recipe = load_recipe("quickstart", overrides=[*RECIPE, *changes])
    run = RunFolder(folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train(recipe, run, golden_data(), recipe.design, device=torch.device("cpu"))
    finally:
        torch.set_num_threads(threads)
    return [line["loss"] for line in measurements.read(run.measurements, measurements.TRAINING)]


def platform_facts(folder: Path) -> dict[str, Any]:
    """What the last bits of a training depend on besides the recipe: its contract, and the processor."""
    checkpoint, _ = require_checkpoint(RunFolder(folder).checkpoints)
    return {**checkpoint.state["contract"], "processor": hardware()["processor"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("golden")


@pytest.fixture(scope="module")
def losses(folder):
    return losses_of_training(folder)


def test_the_losses_of_a_hundred_steps_are_those_that_were_pinned(losses, folder):
    pinned = json.loads(PINNED.read_text())
    assert len(losses) == STEPS
    same_machine = pinned["platform"] == platform_facts(folder)
    expected = pinned["losses"] if same_machine else pytest.approx(pinned["losses"], abs=ELSEWHERE)
    assert losses == expected, (
        f"Training computes something else than when {PINNED.name} was written"
        f"{' on this machine' if same_machine else ', beyond what another machine explains'}.\n"
        "If you did not mean to change training, you have found a bug: compare with the last commit that passes.\n"
        "If you did, say so in the changelog, because no run begun before will go on alike, and pin the new losses "
        f"with: python {Path(__file__).relative_to(Path(__file__).parents[2])}"
    )


def test_the_model_learns_what_the_formula_allows(losses):
    assert sum(losses[-10:]) / 10 < losses[0] - 1


@pytest.mark.parametrize("change", ["training.beta2=0.951", "training.warmup_steps=4"])
def test_a_small_change_of_training_moves_the_losses(losses, tmp_path, change):
    assert losses_of_training(tmp_path, change) != pytest.approx(losses, abs=ELSEWHERE)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        pinned_losses = losses_of_training(Path(name))
        content = {"platform": platform_facts(Path(name)), "losses": pinned_losses}
    PINNED.write_text(json.dumps(content, indent=1) + "\n")
