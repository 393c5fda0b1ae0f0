"""What a sweep says in a terminal."""

import io

import pytest
from rich.console import Console

from smidgen.cli.sweep_display import show_sweep
from smidgen.reports.ablation.sweep import read_sweep

RATE = "training.peak_learning_rate"


@pytest.fixture
def said():
    def call(is_summarised=False, **other):
        trial = {"number": 1, "settings": {RATE: 2e-3}, "state": "finished", "bits_per_byte": 1.61, "judged": []}
        rule = {"key": RATE, "rule": "grows", "source": "arXiv:2205.10287"}
        stored = {
            "axes": [{"key": RATE, "low": 5e-4, "high": 8e-3, "log": True}],
            "trials": [trial],
            "seed": 0,
            "sampler": "tpe",
            "pruner": "median",
            "planned": 4,
            "finished": False,
            "best": {"number": 1},
            "confirmed": [{"variant": "sweep-1st", "number": 1}],
            "importance": {},
            "boundary": [{"message": "widen it"}],
            "transfer": [
                {"where": "at 4 times the batch", "value": 4e-3, **rule},
                {"where": "at 4 times the batch", "value": None, **rule},
                {"where": "at twice the width", "value": 1e-3, **rule},
            ],
            **other,
        }
        screen = Console(file=io.StringIO(), width=120)
        show_sweep(screen, read_sweep(stored), is_summarised=is_summarised)
        return screen.file.getvalue()

    return call


def test_the_best_comes_first_and_each_rule_with_its_source_below_its_place(said):
    lines = [line.rstrip() for line in said().splitlines()]
    assert lines == [
        f"1 setting of 4 tried under seed 0 (tpe). The best, trial 1, has 1.6100 bits per byte with {RATE} =",
        "0.002.",
        "Confirmed under other seeds: sweep-1st is trial 1.",
        "note: widen it",
        "What to expect elsewhere, by rules of others for other sizes (docs/sweeps.md):",
        "  at 4 times the batch",
        f"    {RATE} 0.004: grows (arXiv:2205.10287)",
        f"    {RATE}: grows (arXiv:2205.10287)",
        "  at twice the width",
        f"    {RATE} 0.001: grows (arXiv:2205.10287)",
    ]


def test_what_is_not_known_is_not_said(said):
    shown = said(is_summarised=True, best=None, confirmed=[], boundary=[], transfer=[])
    assert shown == ""
