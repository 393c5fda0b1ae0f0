"""Runs that are not over, with generated numbers of the right shape.

``python tests/reports/live/conftest.py FOLDER`` writes some with their pages, to be looked at.
"""

import json
import math
import random
import sys
from pathlib import Path

import pytest

from smidgen.model.config import ModelConfig
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source
from smidgen.recipes.ownership import claim
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.training import TrainingSettings
from smidgen.records.run_folder import RunFolder
from smidgen.reports.live.live_page import write_live_page

BATCH_TOKENS, STEPS, LAYERS = 8_192, 1_200, 6
SOURCES = ("documentation", "grammar", "arithmetic")


def begun_run(folder: Path, *, points: int, done: float = 0.6) -> RunFolder:
    """A run with so many lines of progress up to a share of its plan, and all kinds of measurements if any."""
    run = RunFolder(folder)
    claim(run, _recipe(folder.name))
    draw = random.Random(3)
    lines = [line for number in range(points) for line in _lines(number, points, done, draw)]
    run.measurements.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def _recipe(name: str) -> Recipe:
    shape = {"hidden_size": 128, "num_heads": 2, "num_kv_heads": 1, "head_dim": 64, "intermediate_size": 352}
    return Recipe(
        name=name,
        description="",
        design=ModelConfig(vocab_size=2048, num_layers=LAYERS, context_length=256, **shape),
        data=DataSettings(
            sources={name: Source(generator=name.replace("documentation", "installed-docs")) for name in SOURCES},
            curriculum=(CurriculumPoint(at=0.0, weights=dict.fromkeys(SOURCES, 1.0)),),
        ),
        training=TrainingSettings(
            tokens=STEPS * BATCH_TOKENS,
            batch_tokens=BATCH_TOKENS,
            micro_batch_size=16,
            peak_learning_rate=4e-3,
            warmup_steps=50,
        ),
    )


def _lines(number: int, points: int, done: float, draw: random.Random):
    share = (number + 1) / points * done
    step = max(number + 1, round(share * STEPS))
    loss = 2.1 + 5.4 * math.exp(-9 * share) + draw.gauss(0, 0.05)
    place = {"step": step, "tokens": round(share * STEPS * BATCH_TOKENS), "seconds": round(260 * share, 2)}
    yield {
        "kind": "training",
        **place,
        "loss": loss,
        "learning_rate": 4e-3 * min(1, share * 20),
        "gradient_norm": 0.4 + 2 * math.exp(-20 * share) + 0.1 * draw.random() + 6.0 * (draw.random() < 0.002),
        "tokens_per_second": 37_500 + draw.gauss(0, 700),
        "fraction_of_peak": 0.41,
        "peak_memory_bytes": 661_000_000,
    }
    if (number + 1) % max(1, points // 6) == 0:
        yield from _rare_lines(place, share, draw)


def _rare_lines(place, share: float, draw: random.Random):
    by_source = {name: 1 + rank**2 / 2 + 3 * math.exp(-8 * share) for rank, name in enumerate(SOURCES)}
    yield {"kind": "held_out", **place, "bits_per_byte": sum(by_source.values()) / 3, "by_source": by_source}
    scores = {
        task: {"acc": {"value": value, "low": value - 0.03, "high": value + 0.03, "n": items}}
        for task, value, items in (("minimal-pairs", 0.5 + 0.4 * share, 440), ("arithmark2-generated", 0.28, 300))
    }
    baselines = {"minimal-pairs": {"chance": 0.5}, "arithmark2-generated": {"chance": 0.25, "shortest": 0.275}}
    yield {"kind": "evaluation", **place, "scores": scores, "baselines": baselines, "skipped": {}}
    samples = [
        {"prompt": "Return the", "text": " number of elements in the array, and " + "the array " * 6, "tokens": 30,
         "finish_reason": "length", "loop": share < 0.3},
        {"prompt": "Tom and Ruth", "text": ' in the barn. "Is it a small brush?" asked Leah.\n"Yes," said Henry.',
         "tokens": 24, "finish_reason": "stop", "loop": False},
    ]  # fmt: skip
    yield {"kind": "samples", **place, "samples": samples, "loop_share": 0.5 if share < 0.3 else 0.0}
    names = ["embed_tokens", *(f"layers.{layer}" for layer in range(LAYERS)), "norm"]
    yield {"kind": "statistics", **place, "parts": [_part(name, share, draw) for name in names]}
    yield {"kind": "event", "step": place["step"], "message": "loss 9.1 is a spike above 3.2"}


def _part(name: str, share: float, draw: random.Random):
    every = {
        "name": name,
        "weight_norm": 20 + 10 * share + draw.random(),
        "gradient_norm": 0.1 + 0.1 * draw.random(),
        "update_ratio": 2e-3 * (1.1 - share),
    }
    if not name.startswith("layers."):
        return every
    depth = int(name.removeprefix("layers.")) + 1
    return {
        **every,
        "activation_rms": 0.4 * depth * (1 + share),
        "activation_max": 5.0 * depth * (1 + share),
        "attention_logit_max": 8 + 4 * share * depth,
        "dead_units": 0.01 * depth * share,
    }


@pytest.fixture
def begun(tmp_path):
    """A maker of runs that are not over."""
    return lambda points, **options: begun_run(tmp_path / "begun", points=points, **options)


if __name__ == "__main__":
    for name, points in {"empty": 0, "one-point": 1, "some": 120, "ten-thousand": 10_000}.items():
        made = begun_run(Path(sys.argv[1]) / name, points=points)
        write_live_page(made, is_running=True)
        print(made.report / "live.html")
