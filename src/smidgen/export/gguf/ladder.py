"""The ladder: what each type of file costs, measured on text that the model was not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smidgen.checkpoints.open_model import OpenModel, open_model
from smidgen.errors import BadInput
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.spelling_task import passages_of, real_text
from smidgen.export.gguf import read_back
from smidgen.export.gguf.damage import RULE, verdict
from smidgen.export.gguf.rung import Matter, matter_of, measured
from smidgen.export.parity import parity
from smidgen.lab.comparison import compare_records
from smidgen.lab.score_record import record_of

REFERENCE = "F32"
# 95% of a file's damage is known to a few percent of itself with so many positions.
TOKENS = 16_384
TEXTS = 64
# Beginnings after which llama.cpp itself is asked, with the settings that its users have.
PREFIXES = 96


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How much to measure. ``tasks`` are scored for every file."""

    tasks: Sequence[str] = ()
    conditions: Conditions = field(default_factory=Conditions)
    tokens: int = TOKENS
    texts: int = TEXTS
    prefixes: int = PREFIXES
    on_rung: Callable[[str], None] = lambda name: None


def climb(model: OpenModel, files: Sequence[dict[str, Any]], folder: Path, asked: Asked) -> dict[str, Any]:
    """Measure the model and every one of ``files``, entries of an export in ``folder``.

    Returns ``{"model", "rule", "text", "reference", "rungs", ...}``: the reference is the model in float32, each rung
    the entry of a file with ``is_model`` (its numbers are the model's), ``kl``, ``top1``, ``perplexity`` and its
    ``perplexity_change``, ``real_words``, ``loops``, ``in_llama_cpp``, ``scores``, ``comparisons``, ``verdict`` and
    ``why``. Raises ``Interrupted`` when asked to stop.
    """
    conditions = asked.conditions
    matter = _matter(model, asked)
    prefixes = _prefixes(matter, asked.prefixes)
    ours = read_back.log_probabilities(model.decoder, prefixes)
    asked.on_rung(REFERENCE)
    reference = _measured(model, model, matter, asked)
    rungs = []
    for entry in files:
        asked.on_rung(entry["type"])
        opened = _as_of(model, open_model(folder / entry["name"]))
        is_model = _is_same(opened, model)
        figures = dict(reference) if is_model else _measured(opened, model, matter, asked)
        figures["in_llama_cpp"] = _in_llama_cpp(folder / entry["name"], model, prefixes, ours)
        rungs.append({**entry, **figures, "is_model": is_model})
    comparisons = _compared(reference, [rung for rung in rungs if not rung["is_model"]])
    for rung in rungs:
        mine = [one for one in comparisons if one["b"] == rung["type"]]
        rung |= {"comparisons": mine, **verdict(rung, reference, mine)}
    return {
        "model": model.name,
        "parameters": sum(parameter.numel() for parameter in model.decoder.parameters()),
        "training_tokens": model.training_tokens,
        "weights_sha256": model.weights_sha256,
        "rule": RULE,
        "text": {
            "tokens": sum(len(ids_T) - 1 for ids_T in matter.windows),
            "windows": len(matter.windows),
            "texts": len(matter.passages),
            "sampling": asdict(matter.sampling),
            "prefixes": len(prefixes),
        },
        "compared": sorted({(one["task"], one["metric"]) for one in comparisons}),
        "seed": conditions.seed,
        "reference": _without_items(reference),
        "rungs": [_without_items(rung) for rung in rungs],
    }


def _matter(model: OpenModel, asked: Asked) -> Matter:
    real, seed = real_text(model), asked.conditions.seed
    each = max(1, asked.texts // max(1, len(real.held_out)))
    passages = [ids for documents in real.held_out.values() for ids in passages_of(documents, each, seed)]
    if not passages:
        raise BadInput(f"{model.path} holds back no text to measure a ladder on; give a run folder that does")
    return matter_of(model, real, passages, tokens=asked.tokens, seed=seed)


def _as_of(model: OpenModel, opened: OpenModel) -> OpenModel:
    """What a file holds, in the place of the model: its run's data and its sampling advice belong to both."""
    return replace(opened, path=model.path, sampling=model.sampling, max_length=model.max_length)


def _is_same(opened: OpenModel, model: OpenModel) -> bool:
    mine, theirs = model.decoder.state_dict(), opened.decoder.state_dict()
    return all(torch.equal(mine[name].float().cpu(), theirs[name]) for name in mine)


def _measured(opened: OpenModel, model: OpenModel, matter: Matter, asked: Asked) -> dict[str, Any]:
    stop_requested = asked.conditions.stop_requested
    figures = measured(opened, model.decoder, matter, stop_requested=stop_requested)
    record = evaluate(opened, asked.tasks, asked.conditions) if asked.tasks else {}
    return {**figures, "scores": record.get("scores", {}), "record": record}


def _prefixes(matter: Matter, count: int) -> list[list[int]]:
    """Beginnings of windows, those of one window after each other so that llama.cpp reads it once."""
    each = -(-count // len(matter.windows))
    found = []
    for number, ids_T in enumerate(matter.windows[:count]):
        draw = np.random.default_rng([matter.seed, number])
        # llama.cpp reads at most one token less than the context before it writes.
        ends = sorted(set(draw.integers(1, max(2, len(ids_T) - 1), size=each).tolist()))
        found += [ids_T[:end].tolist() for end in ends]
    return found[:count]


def _in_llama_cpp(
    path: Path, model: OpenModel, prefixes: list[list[int]], ours: torch.Tensor
) -> dict[str, Any] | None:
    """How far llama.cpp with a cache in float16 is from the model: it rounds what it multiplies with, too."""
    if read_back.llama_cpp_version() is None:
        return None
    questions = read_back.Questions(texts=[], prefixes=prefixes, prompts=[])
    theirs = read_back.ask(path, model, questions, exact=False).rows
    return {**asdict(parity([ours], [theirs])), "positions": len(prefixes)}


def _compared(reference: dict[str, Any], rungs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not reference["record"] or not rungs:
        return []
    named = [{**reference["record"], "model": "the model"}]
    named += [{**rung["record"], "model": rung["type"]} for rung in rungs]
    return compare_records([record_of(record, origin=record["model"]) for record in named])["comparisons"]


def _without_items(figures: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in figures.items() if key != "record"}
