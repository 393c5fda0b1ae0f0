"""However a run is cut into sittings, it sees the same samples in the same order and ends with the same bits."""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from smidgen.checkpoints.checkpoint import newest_checkpoint
from smidgen.data.training_data import TrainingData
from smidgen.recipes.training import BatchPoint
from smidgen.records.run_folder import RunFolder
from smidgen.training.trainer import Trainer, train

from .conftest import with_training
from .trained import final_state

EXAMPLES = 200
CONTEXT = 16


@dataclass(frozen=True, kw_only=True)
class ListeningData(TrainingData):
    """Remembers which samples were asked for."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    def batch(self, samples):
        self.asked.extend(samples)
        return super().batch(samples)


class StopAfter:
    """Asks to stop once it was asked a number of times."""

    def __init__(self, steps):
        self.left = steps

    def __call__(self):
        self.left -= 1
        return self.left < 0


runs = st.fixed_dictionaries(
    {
        "steps": st.integers(3, 8),
        "sequences": st.sampled_from((1, 2, 3, 4, 6)),
        "micro_batch_size": st.sampled_from((1, 2, 3, 8)),
        "checkpoint_steps": st.integers(1, 6),
        "held_out_steps": st.sampled_from((2, 5, 100)),
        "log_steps": st.integers(1, 4),
        "keep_checkpoints": st.integers(2, 3),
        "optimizer": st.sampled_from(("adamw", "adamw", "muon")),
        "average": st.sampled_from(({}, {}, {"ema_decay": 0.9}, {"average_checkpoints": 3})),
        "grows": st.booleans(),
        "seed": st.integers(1, 5),
        # So few that the sources come round again, in the middle of a step too.
        "windows": st.tuples(st.integers(1, 9), st.integers(1, 9)),
    }
)
# After how many steps each sitting ends, and whether its last checkpoint is then found damaged.
interruptions = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=4)


def recipe_of(recipe, run):
    batch_tokens = run["sequences"] * CONTEXT
    names = ("micro_batch_size", "checkpoint_steps", "held_out_steps", "log_steps", "keep_checkpoints", "seed")
    return with_training(
        recipe,
        tokens=run["steps"] * batch_tokens,
        batch_tokens=batch_tokens,
        batch_schedule=(BatchPoint(at=0.5, tokens=min(2 * batch_tokens, run["steps"] * batch_tokens)),)
        if run["grows"]
        else (),
        optimizer=run["optimizer"],
        **run["average"],
        warmup_steps=1,
        **{name: run[name] for name in names},
    )


def short_data(data, windows):
    names = zip(data.train, windows, strict=True)
    train = {name: replace(data.train[name], tokens=data.train[name].tokens[: n * CONTEXT + 1]) for name, n in names}
    return ListeningData(folder=data.folder, index=data.index, train=train, held_out=data.held_out)


def sit(run, recipe, data, stop):
    """Train until asked to stop; returns the result and the samples of the steps that were made."""
    data.asked.clear()
    result = train(recipe, run, data, recipe.design, device=torch.device("cpu"), stop_requested=stop)
    return result, list(data.asked)


def damage_newest(run, draw):
    """Flip one bit of the newest checkpoint; whether there was one."""
    checkpoint, _ = newest_checkpoint(run.checkpoints)
    if checkpoint is None:
        return False
    file = draw.choice(sorted(checkpoint.path.iterdir()))
    content = bytearray(file.read_bytes())
    content[draw.randrange(len(content) - 1)] ^= 1
    file.write_bytes(content)
    return True


def test_every_way_of_interrupting_a_run_ends_alike(small_recipe, small_data, memory_disk, no_failures, monkeypatch):
    # Looks at the layers read some samples once more, which is not training on them.
    monkeypatch.setattr(Trainer, "look_at_layers_when_due", lambda trainer: None)
    tried = {"examples": 0, "resumed": 0, "damaged": 0, "epochs": 0}

    @seed(13)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(runs, interruptions)
    def ends_alike(drawn, sittings):
        recipe = recipe_of(small_recipe, drawn)
        data = short_data(small_data, drawn["windows"])
        draw = random.Random(drawn["seed"])
        with TemporaryDirectory(dir=memory_disk) as folder:
            straight, run = RunFolder(Path(folder) / "straight"), RunFolder(Path(folder) / "run")
            straight.path.mkdir()
            run.path.mkdir()
            result, samples = sit(straight, recipe, data, lambda: False)
            assert result.finished
            seen: list = []
            for steps, damages in [*sittings, (100, False)]:
                checkpoint, _ = newest_checkpoint(run.checkpoints)
                start = checkpoint.state["tokens"] // CONTEXT if checkpoint else 0
                tried["resumed"] += start > 0
                result, asked = sit(run, recipe, data, StopAfter(steps))
                # What came after the checkpoint that is gone on from is trained again.
                seen = [*seen[:start], *asked]
                if damages and not result.finished:
                    tried["damaged"] += damage_newest(run, draw)
            assert result.finished
            assert seen[: len(samples)] == samples
            assert final_state(run) == final_state(straight)
        tried["examples"] += 1
        tried["epochs"] += len(set(samples)) < len(samples)

    ends_alike()
    assert tried["examples"] >= EXAMPLES
    assert tried["resumed"] >= EXAMPLES // 2
    assert tried["damaged"] >= EXAMPLES // 10
    assert tried["epochs"] >= EXAMPLES // 4
    no_failures("interrupted runs", tried["examples"], ", ".join(f"{n} {what}" for what, n in tried.items()))
