"""Ablations with generated numbers of the right shape and size: folders of trials and their result.

``python tests/reports/ablation/conftest.py FOLDER`` writes one of each kind with its page, to be looked at.
"""

import json
import math
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from scipy import stats

from smidgen.lab.holm import holm

TOKENS = 4_000_000
BATCH_TOKENS = 32_768
LOG_STEPS, HELD_OUT_STEPS = 2, 6
# Bits per byte of the base, its deviation between seeds, and that of a paired difference.
LEVEL, SEED_NOISE, PAIR_NOISE = 1.6234, 0.0042, 0.0016
TASKS = {"minimal-pairs": ("acc", 0.683, 0.009), "arithmark2-generated": ("acc_norm", 0.312, 0.011)}


@dataclass(frozen=True, kw_only=True)
class Change:
    """A variant: its effect in bits per byte, and the states of its trials by seed where they did not finish.

    ``missing`` seeds have not begun; a trial in the state "running" is half done and not in the result.
    """

    effect: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    parameters: int = 5_158_464
    steepness: float = 0.0


def make_ablation(
    folder: Path,
    changes: dict[str, Change],
    *,
    seeds: tuple[int, ...] = (1, 2, 3),
    scales: tuple[float, ...] = (1,),
    base: Change | None = None,
    tasks: tuple[str, ...] = ("minimal-pairs", "arithmark2-generated"),
    **other: Any,
) -> dict[str, Any]:
    """Write the trials' measurements and return the result, as ``smidgen ablate`` would."""
    everyone = {"base": base or Change(), **changes}
    for name, change in everyone.items():
        for seed in seeds:
            if seed not in change.missing:
                _write_trial(folder, name, change, seed)
    variants = [_variant(name, change, seeds, scales, tasks) for name, change in everyone.items()]
    verdicts = _verdicts(variants, everyone, scales, tasks)
    result = {
        "name": "xsa", "question": "Does XSA help at 4M tokens?", "base": "gpt-s-5m", "run": str(folder),
        "fingerprint": "3f" * 32, "finished": all(
            seed not in change.missing and change.states.get(seed) != "running"
            for change in everyone.values() for seed in seeds
        ),
        "budget": {"equal": "tokens", "tokens": TOKENS, "scales": list(scales),
                   "sentence": f"{TOKENS:,} tokens each"}, "seeds": list(seeds),
        "tasks": list(tasks), "variants": variants, "verdicts": verdicts, "noise_floor": _noise_floor(variants[0]),
        "power": _power(tasks), "scaling": _scaling(verdicts, scales) if len(scales) > 1 else [], "warnings": [],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ablation.toml").write_text(
        'base = "gpt-s-5m"\nquestion = "Does XSA help at 4M tokens?"\n\n[budget]\nequal = "tokens"\n'
        'tokens = 4_000_000\n\n[variants.no-xsa]\n"design.xsa" = false\n'
    )
    return {**result, **other}


@pytest.fixture
def ablation(tmp_path):
    """A maker of results whose trials lie in ``tmp_path``."""
    return lambda changes, **options: make_ablation(tmp_path, changes, **options)


def _dice(*names: Any) -> random.Random:
    return random.Random("-".join(map(str, names)))


def _final(name: str, change: Change, seed: int, scale: float) -> float:
    own = _dice("seed", seed, scale).gauss(0, SEED_NOISE)
    pair = 0.0 if name == "base" else _dice(name, seed, scale).gauss(0, PAIR_NOISE)
    return LEVEL - 0.071 * math.log2(scale) + own + pair + change.effect * scale**-change.steepness


def _write_trial(folder: Path, name: str, change: Change, seed: int) -> None:
    run = folder / "trials" / name / f"seed-{seed}"
    run.mkdir(parents=True, exist_ok=True)
    steps = TOKENS // BATCH_TOKENS
    state = change.states.get(seed, "finished")
    last = {"finished": steps, "diverged": 31 + 7 * seed, "failed": 50, "halved": steps // 2, "running": steps // 2}
    lines = []
    for step in range(1, last[state] + 1):
        place = {"step": step, "tokens": step * BATCH_TOKENS, "seconds": round(5.4 * step, 3)}
        if step % LOG_STEPS == 0:
            lines.append({"kind": "training", **place, "loss": _loss(name, change, seed, step / steps, state, step)})
        if step % HELD_OUT_STEPS == 0 or step == steps:
            bits = _bits(name, change, seed, step / steps) + (2.0 if state == "diverged" and step > 34 else 0.0)
            lines.append({"kind": "held_out", **place, "bits_per_byte": bits, "by_source": {}})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run / "measurements.jsonl").write_text(text, encoding="utf-8")


def _bits(name: str, change: Change, seed: int, share: float) -> float:
    falling = 1.9 * math.exp(-9 * share) + 0.35 * (1 - share) ** 1.5
    wandering = 0.004 * (1 - share) * math.sin(17 * share + seed)
    early = 0.02 * math.exp(-6 * share) * _dice(name, "early", seed).gauss(0, 1)
    return falling + wandering + early + _final(name, change, seed, 1)


def _loss(name: str, change: Change, seed: int, share: float, state: str, step: int) -> float:
    batch = 0.045 * _dice("batch", seed, step).gauss(0, 1) + 0.004 * _dice(name, "batch", seed, step).gauss(0, 1)
    blown = 1.03 ** max(0, step - 20) - 1 if state == "diverged" else 0.0
    return min(14.0, 2.35 * _bits(name, change, seed, share) + batch + blown)


def _variant(
    name: str, change: Change, seeds: tuple[int, ...], scales: tuple[float, ...], tasks: tuple[str, ...]
) -> dict[str, Any]:
    trials = []
    for scale in scales:
        for seed in seeds:
            state = change.states.get(seed, "finished")
            is_pending = seed in change.missing or state == "running"
            trials.append(_trial(name, change, seed, scale, "pending" if is_pending else state))
    ended = [one for one in trials if one["scale"] == 1 and one["state"] == "finished"]
    scores = {task: _score(name, task, change, [one["seed"] for one in ended]) for task in tasks}
    states = [one["state"] for one in trials]
    return {
        "name": name, "settings": change.settings, "parameters": change.parameters,
        "flops_per_token": 6 * change.parameters + 2.1e6,
        "state": next((one for one in ("diverged", "halved", "failed", "pending") if one in states), "finished"),
        "seeds": len(ended), "bits_per_byte": _interval([one["bits_per_byte"] for one in ended]),
        "scores": {task: score for task, score in scores.items() if score["mean"] is not None}, "trials": trials,
    }  # fmt: skip


def _trial(name: str, change: Change, seed: int, scale: float, state: str) -> dict[str, Any]:
    folder = f"trials/{name}/{'' if scale == 1 else f'x{scale:g}-'}seed-{seed}"
    message = "step 45: the loss is 9.812 and was above 2 times its best level, 4.312, for 12 steps"
    measured = dict.fromkeys(("message", "tokens", "seconds", "bits_per_byte"))
    if state == "pending":
        return {"seed": seed, "scale": scale, "state": state, "folder": folder, **measured}
    return {
        "seed": seed, "scale": scale, "state": state, "message": message if state == "diverged" else "",
        "folder": folder, "tokens": int(TOKENS * scale) // BATCH_TOKENS * BATCH_TOKENS if state == "finished"
        else 1_474_560, "seconds": 659.2 * scale + _dice(name, seed).uniform(-20, 20),
        "bits_per_byte": _final(name, change, seed, scale) if state == "finished" else None,
    }  # fmt: skip


def _task_value(name: str, task: str, effect: float, seed: int) -> float:
    _, level, noise = TASKS[task]
    own = 0.0 if name == "base" else _dice(name, task, seed).gauss(0, noise / 2)
    return level + _dice(task, seed).gauss(0, noise) + own - 2.5 * effect


def _score(name: str, task: str, change: Change, seeds: list[int]) -> dict[str, Any]:
    values = [_task_value(name, task, change.effect, seed) for seed in seeds]
    return {"metric": TASKS[task][0], **_interval(values)}


def _interval(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"mean": None, "low": None, "high": None, "values": []}
    half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    mean = fmean(values)
    low, high = (mean - half, mean + half) if half is not None else (None, None)
    return {"mean": mean, "low": low, "high": high, "values": values}


def _verdicts(
    variants: list[dict[str, Any]],
    everyone: dict[str, Change],
    scales: tuple[float, ...],
    tasks: tuple[str, ...],
) -> list[dict[str, Any]]:
    found = []
    for variant in variants[1:]:
        for scale in scales:
            seeds = [
                one["seed"]
                for one in variant["trials"]
                if one["state"] == "finished" and one["scale"] == scale
                if one["seed"] not in everyone["base"].missing
            ]
            change = everyone[variant["name"]]
            own = [_final(variant["name"], change, seed, scale) for seed in seeds]
            base = [_final("base", everyone["base"], seed, scale) for seed in seeds]
            found.append(_verdict(variant, "bits-per-byte", "bits_per_byte", scale, own, base))
        for task in tasks if len(scales) == 1 else ():
            seeds = [one["seed"] for one in variant["trials"] if one["state"] == "finished"]
            own = [_task_value(variant["name"], task, everyone[variant["name"]].effect, seed) for seed in seeds]
            base = [_task_value("base", task, 0.0, seed) for seed in seeds]
            found.append(_verdict(variant, task, TASKS[task][0], 1, own, base))
    tested = [one for one in found if one["p"] is not None]
    for one, adjusted in zip(tested, holm([one["p"] for one in tested]), strict=True):
        _decide(one, adjusted)
    return found


def _decide(one: dict[str, Any], p_adjusted: float) -> None:
    one["p_adjusted"] = p_adjusted
    more = one["more_seeds"]
    one["verdict"] = f"not distinguishable (needs about {more} more seed{'s' if more > 1 else ''})"
    if p_adjusted < 0.05:
        one["verdict"] = "better" if one["expected_gain"]["value"] > 0 else "worse"
        one["more_seeds"] = None


def _verdict(
    variant: dict[str, Any], task: str, metric: str, scale: float, own: list[float], base: list[float]
) -> dict[str, Any]:
    common = {"variant": variant["name"], "task": task, "metric": metric, "scale": scale, "seeds": len(own),
              "test": "paired t over seeds"}  # fmt: skip
    empty = dict.fromkeys(
        ("base_value", "value", "difference", "low", "high", "p", "p_adjusted", "more_seeds", "expected_gain")
    )
    states = [one["state"] for one in variant["trials"] if one["scale"] == scale]
    words = f"not enough seeds ({len(own)} of {len(states)})" if len(own) < 2 else ""
    if "diverged" in states:
        words = f"diverged ({states.count('diverged')} of {len(states)} seeds)"
    if "halved" in states:
        words = "stopped by halving"
    if own:
        found = _interval([a - b for a, b in zip(own, base, strict=True)])
        empty |= {
            "base_value": fmean(base),
            "value": fmean(own),
            "difference": found["mean"],
            "low": found["low"],
            "high": found["high"],
        }
    if words:
        return {**common, **empty, "verdict": words}
    error = (found["high"] - found["low"]) / 2 / stats.t.ppf(0.975, len(own) - 1)
    p = float(2 * stats.t.sf(abs(found["mean"]) / error, len(own) - 1))
    gain = -found["mean"] if metric == "bits_per_byte" else found["mean"]
    more = max(1, math.ceil((2.8 * error * len(own) ** 0.5 / found["mean"]) ** 2 + 1.9) - len(own))
    return {
        **common, **empty, "p": p, "more_seeds": more,
        "expected_gain": {"value": 0.8 * gain, "low": 0.3 * gain, "high": 1.3 * gain},
    }  # fmt: skip


def _noise_floor(base: dict[str, Any]) -> list[dict[str, Any]]:
    values = {"bits-per-byte": ("bits_per_byte", base["bits_per_byte"]["values"])}
    values |= {task: (score["metric"], score["values"]) for task, score in base["scores"].items()}
    return [
        {
            "task": task, "metric": metric, "standard_deviation": stdev(known), "seeds": len(known),
            "low": stdev(known) * math.sqrt((len(known) - 1) / stats.chi2.ppf(0.975, len(known) - 1)),
            "high": stdev(known) * math.sqrt((len(known) - 1) / stats.chi2.ppf(0.025, len(known) - 1)),
            "tokens": TOKENS,
        }
        for task, (metric, known) in values.items() if len(known) > 1
    ]  # fmt: skip


def _power(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    noises = {"bits-per-byte": ("bits_per_byte", PAIR_NOISE)}
    noises |= {task: (TASKS[task][0], TASKS[task][2] / 2) for task in tasks}
    return [
        {"task": task, "metric": metric, "seeds": seeds,
         "tokens": TOKENS,
         "detectable": (stats.t.ppf(0.975, seeds - 1) + stats.t.ppf(0.8, seeds - 1)) * noise / seeds**0.5}
        for task, (metric, noise) in noises.items()
        for seeds in (2, 3, 5, 8)
    ]  # fmt: skip


def _scaling(verdicts: list[dict[str, Any]], scales: tuple[float, ...]) -> list[dict[str, Any]]:
    names = dict.fromkeys(one["variant"] for one in verdicts if one["difference"] is not None)
    return [
        {
            "variant": name, "task": "bits-per-byte", "metric": "bits_per_byte",
            "points": [
                {"scale": one["scale"], "tokens": int(TOKENS * one["scale"]),
                 **{key: one[key] for key in ("difference", "low", "high")}}
                for one in verdicts if one["variant"] == name and one["task"] == "bits-per-byte"
            ],
            "holds": "holds" if name == "no-xsa" else "cannot be told",
        }
        for name in names
    ]  # fmt: skip


ONE = {"no-xsa": Change(effect=0.0061, settings={"design.xsa": False})}
FEW = {
    **ONE,
    "renamed": Change(effect=0.0, settings={"training.data_seed": 7}),
    "wide-ffn": Change(effect=-0.0093, settings={"design.intermediate_size": 768, "design.num_layers": 7},
                       parameters=5_149_312),
    "no-rope-scaling-and-a-long-name": Change(effect=0.0012, settings={"design.rope_theta": 10000.0}),
    "hot": Change(effect=0.05, settings={"training.peak_learning_rate": 0.024},
                  states={2: "diverged", 3: "diverged"}),
    "cold": Change(effect=0.0812, settings={"training.peak_learning_rate": 0.00075}),
}  # fmt: skip
CASES: dict[str, tuple[dict[str, Change], dict[str, Any]]] = {
    "one": (ONE, {}),
    "few": (FEW, {"warnings": ["hot diverged under 2 of 3 seeds", "wide-ffn got 0.2% fewer parameters than base"]}),
    "floor": ({}, {"seeds": (1, 2, 3, 4, 5), "question": "", "name": "floor"}),
    "scales": (
        {"no-xsa": Change(effect=0.0081, steepness=0.1), "wide-ffn": Change(effect=-0.006, steepness=1.2)},
        {"scales": (1, 2, 4)},
    ),
    "unfinished": (
        {"no-xsa": Change(effect=0.0061, states={3: "running"}), "wide": Change(missing=(2, 3)),
         "late": Change(missing=(1, 2, 3))},
        {"question": "Which width at 4M tokens?"},
    ),
    "halved": ({"a": Change(effect=-0.004), **{name: Change(effect=0.02, states=dict.fromkeys((1, 2, 3), "halved"))
                                              for name in ("b", "c")}}, {}),
    "sweep": (
        {f"lr={0.0002 * 1.22**n:.2g}": Change(
            effect=0.004 * (n - 17) ** 2 / 8 if n < 28 else 0.4,
            settings={"training.peak_learning_rate": float(f"{0.0002 * 1.22**n:.2g}")},
            states={} if n < 28 else dict.fromkeys((1, 2, 3), "diverged"),
        ) for n in range(30)},
        {"question": "Which learning rate?", "name": "lr", "base": Change(effect=0.004)},
    ),
    "base-diverged": (ONE, {"base": Change(states={2: "diverged"})}),
}  # fmt: skip

if __name__ == "__main__":
    from smidgen.reports.ablation.ablation_page import write_ablation_page

    for case, (changes, options) in CASES.items():
        place = Path(sys.argv[1]) / case
        print(write_ablation_page(make_ablation(place, changes, **options), place))
