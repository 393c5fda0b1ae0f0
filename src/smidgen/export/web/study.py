"""What a sampler study says about a model, for its page: a row for every setting that was tried."""

from dataclasses import fields
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.lab.samplers.measurement import RATIOS
from smidgen.lab.samplers.study import RECORD_NAME
from smidgen.recipes.sampling import SamplingSettings
from smidgen.records import manifest
from smidgen.records.run_folder import RunFolder

_SETTINGS = tuple(field.name for field in fields(SamplingSettings))


def sampler_study(model: OpenModel) -> dict[str, Any] | None:
    """Of a run; None where `smidgen samplers` has not been through these very weights."""
    stored = manifest.read_record(RunFolder(model.path).samplers / RECORD_NAME)
    if not stored.get("finished") or stored.get("weights_sha256") != model.weights_sha256:
        return None
    return {
        "why": stored["recommended"]["why"],
        "conditions": stored["conditions"],
        "real_text": _figures(stored["real_text"]),
        "recommended": _setting(stored["recommended"]),
        "settings": [_setting(one) for one in stored["settings"]],
    }


def _setting(stored: dict[str, Any]) -> dict[str, Any]:
    settings = {name: stored[name] for name in _SETTINGS if name in stored}
    return {"names": stored["names"], "settings": settings, **_figures(stored)}


def _figures(stored: dict[str, Any]) -> dict[str, Any]:
    """Each figure with its interval: [value, low, high]."""
    intervals = stored["intervals"]
    return {
        name: [stored[name], intervals[name]["low"], intervals[name]["high"]]
        for name in RATIOS
        if stored.get(name) is not None
    }
