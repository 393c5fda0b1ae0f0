"""``trial.json``: how a trial ended, written once."""

from typing import Any

from smidgen.data.training_data import INDEX_NAME
from smidgen.lab.ablation.definition import BITS_PER_BYTE
from smidgen.lab.ablation.outcome import FINISHED, RECIPE_SCORES, TRIAL_NAME
from smidgen.lab.ablation.trial import Trial
from smidgen.records import atomic, manifest, measurements
from smidgen.records.run_folder import RunFolder
from smidgen.trials.job import Work


def write_trial_record(run: RunFolder, trial: Trial | Work, state: str, message: str = "") -> dict[str, Any]:
    """Write and return what the run folder says of a trial that has ended; the states are those of ``outcome``.

    ``step``, ``tokens`` and ``tokens_per_second`` are those of the last line of progress, and ``seconds`` what the
    steps up to there took at that speed, without measuring and saving. ``bits_per_byte`` are those of the final
    evaluation, ``None`` for a trial that did not finish. ``text_bytes`` are what its tokens stand for in the mean of
    its data, ``None`` where these are not built.
    """
    design = manifest.read_record(run.design)
    lines = measurements.read(run.measurements, measurements.TRAINING)
    last = lines[-1] if lines else {}
    tokens, speed = last.get("tokens", 0), last.get("tokens_per_second")
    by_source = _final_bits_per_byte(run) if state == FINISHED else {}
    record = {
        "variant": trial.variant,
        "seed": trial.seed,
        "scale": trial.scale,
        "state": state,
        "message": message,
        "step": last.get("step", 0),
        "tokens": tokens,
        "text_bytes": _text_bytes(run, tokens),
        "seconds": round(tokens / speed, 3) if speed else 0.0,
        "tokens_per_second": speed,
        "parameters": design.get("parameters", {}).get("total"),
        "flops_per_token": design.get("flops_per_token", {}).get("training"),
        "bits_per_byte": by_source.pop("", None),
        "by_source": by_source,
    }
    atomic.write_json(run.path / TRIAL_NAME, record)
    return record


def _text_bytes(run: RunFolder, tokens: int) -> int | None:
    index = manifest.read_record(run.data / INDEX_NAME)
    if not index:
        return None
    sources = index["sources"].items()
    per_token = sum(index["shares"][name] * one["train_text_bytes"] / one["train_tokens"] for name, one in sources)
    return round(tokens * per_token)


def _final_bits_per_byte(run: RunFolder) -> dict[str, float]:
    """Of all held-out text under "", and of each source under its name."""
    scores = manifest.read_record(run.scores / RECIPE_SCORES).get("scores", {})
    return {
        task.removeprefix(BITS_PER_BYTE).removeprefix("/"): metrics["bits_per_byte"]["value"]
        for task, metrics in scores.items()
        if task == BITS_PER_BYTE or task.startswith(f"{BITS_PER_BYTE}/")
    }
