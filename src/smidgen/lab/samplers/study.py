"""Draw texts under many sampling settings, measure them beside real text, and recommend one."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.evaluation.spelling_task import PROMPT_TOKENS, Written, real_text
from smidgen.generation.drawing import Drawn, draw_texts, judged_texts
from smidgen.lab.samplers.grid import Candidate, candidates
from smidgen.lab.samplers.measurement import Measured, measure
from smidgen.lab.samplers.prompts import Passages, begun, passages, prompts_of_file
from smidgen.lab.samplers.recommendation import RULE, recommend
from smidgen.recipes.presets import card_presets
from smidgen.recipes.sampling import SamplingSettings
from smidgen.records import atomic, manifest
from smidgen.records.environment import versions
from smidgen.records.fingerprint import sha256_of_json
from smidgen.records.run_folder import RunFolder

RECORD_NAME = "samplers.json"
# A passage of real text is cut at so many tokens, see the task "spelling".
MOST_NEW_TOKENS = 96
MOST_EXAMPLE_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """``prompts`` is a file, passages of held-out text if not given; ``seeds`` texts are drawn after each prompt."""

    grid: Sequence[SamplingSettings]
    prompts: Path | None = None
    samples: int = 64
    seeds: int = 1
    new_tokens: int = MOST_NEW_TOKENS
    seed: int = 0
    out: Path | None = None
    stop_requested: Callable[[], bool] = lambda: False
    on_setting: Callable[[int, int], None] = lambda done, of: None
    on_notice: Callable[[str], None] = lambda message: None

    def __post_init__(self) -> None:
        for name, most in (("samples", None), ("seeds", None), ("new_tokens", MOST_NEW_TOKENS)):
            value = getattr(self, name)
            if value < 1 or (most is not None and value > most):
                limit = f"1 to {most}" if most else "at least 1"
                raise BadInput(f"--{name.replace('_', '-')} {value} must be {limit}")


@dataclass(kw_only=True)
class Record:
    """What is finished of a study, in the folder ``out`` or, without one, in memory alone."""

    out: Path | None
    identity: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def keep(self, candidate: Candidate, found: dict[str, Any]) -> None:
        self.settings[key_of(candidate)] = found
        if self.out is not None:
            content = {"identity": self.identity, "finished": False, "measured": self.settings}
            atomic.write_json(self.out / RECORD_NAME, content)


def key_of(candidate: Candidate) -> str:
    """The same settings have the same key, whoever recommends them."""
    return sha256_of_json(asdict(candidate.settings))[:16]


def study(model: OpenModel, conditions: Conditions) -> dict[str, Any]:
    """Measure every setting of the grid, the advice of the five cards and the model's own, and recommend one.

    What is finished is kept in the folder ``out``, and the same call goes on from there. Raises ``BadInput`` for
    prompts that cannot be used, ``Interrupted`` when asked to stop.
    """
    started = time.monotonic()
    new_tokens = min(conditions.new_tokens, max(1, model.config.context_length - PROMPT_TOKENS - 1))
    named = {**card_presets(), "recipe": model.sampling}
    tried = candidates(conditions.grid, named, new_tokens=new_tokens)
    real = real_text(model)
    known = passages(real, count=conditions.samples, new_tokens=new_tokens, seed=conditions.seed)
    chosen = prompts_of_file(conditions.prompts, model.tokenizer) if conditions.prompts else known.begun
    record = _opened(model, conditions, chosen, new_tokens)
    reference = measure(_judged(model, known), real.lexicon)
    for number, candidate in enumerate(tried):
        conditions.on_setting(number, len(tried))
        if key_of(candidate) not in record.settings:
            texts = _written(model, chosen, candidate.settings, conditions)
            found = measure(texts, real.lexicon)
            record.keep(candidate, {"sums": found.sums, "example": _example(model, chosen, texts)})
    conditions.on_setting(len(tried), len(tried))
    result = _result(model, conditions, tried, record, reference, new_tokens, len(chosen))
    result["seconds"] = round(time.monotonic() - started, 1)
    if conditions.out is not None:
        stored = {"identity": record.identity, "finished": True, **result, "measured": record.settings}
        atomic.write_json(conditions.out / RECORD_NAME, stored)
    return result


def _opened(model: OpenModel, conditions: Conditions, chosen: list[list[int]], new_tokens: int) -> Record:
    """With what an earlier call finished under the very same conditions."""
    identity = sha256_of_json(
        {
            "weights": model.weights_sha256,
            "config": repr(model.config),
            "tokenizer": model.tokenizer.fingerprint,
            "prompts": chosen,
            "seeds": conditions.seeds,
            "new_tokens": new_tokens,
            "seed": conditions.seed,
            "versions": versions(),
        }
    )
    record = Record(out=conditions.out, identity=identity)
    if conditions.out is None:
        return record
    stored = manifest.read_record(conditions.out / RECORD_NAME)
    measured = stored.get("measured")
    if stored.get("identity") == identity and isinstance(measured, dict):
        record.settings = measured
        conditions.on_notice(f"{len(measured)} settings were measured before; going on")
    elif stored:
        conditions.on_notice(
            f"{conditions.out / RECORD_NAME} is of other weights, prompts or versions; beginning anew"
        )
    return record


def _written(
    model: OpenModel, chosen: list[list[int]], settings: SamplingSettings, conditions: Conditions
) -> list[list[tuple[Drawn, Written]]]:
    """``seeds`` texts of every prompt; greedy writing has only one."""
    stop_id = model.tokenizer.end_of_text_id
    times = 1 if settings.is_greedy else conditions.seeds
    drawn = draw_texts(
        model.decoder,
        [prompt for prompt in begun(chosen, stop_id) for _ in range(times)],
        settings,
        stop_ids={stop_id},
        seed=conditions.seed,
        stop_requested=conditions.stop_requested,
    )
    return [
        [(text, _as_written(model, ids, text)) for text in drawn[place * times : (place + 1) * times]]
        for place, ids in enumerate(chosen)
    ]


def _judged(model: OpenModel, known: Passages) -> list[list[tuple[Drawn, Written]]]:
    judged = judged_texts(model.decoder, begun(known.begun, model.tokenizer.end_of_text_id), known.went_on)
    # A passage ends where the limit of its tokens is, as what the model writes.
    cut = [replace(text, finish_reason="length") for text in judged]
    return [[(text, _as_written(model, ids, text))] for ids, text in zip(known.begun, cut, strict=True)]


def _as_written(model: OpenModel, prompt: Sequence[int], text: Drawn) -> Written:
    tokenizer = model.tokenizer
    begun_with = len(tokenizer.decode(list(prompt)))
    return Written(tokenizer.decode([*prompt, *text.token_ids]), begun_with, is_cut=text.finish_reason == "length")


def _example(model: OpenModel, chosen: list[list[int]], texts: list[list[tuple[Drawn, Written]]]) -> dict[str, str]:
    """The first text, to be looked at."""
    _, written = texts[0][0]
    prompt = model.tokenizer.decode(chosen[0])
    return {"prompt": prompt, "text": written.text[len(prompt) :][:MOST_EXAMPLE_CHARACTERS]}


def _result(
    model: OpenModel,
    conditions: Conditions,
    tried: list[Candidate],
    record: Record,
    reference: Measured,
    new_tokens: int,
    prompts: int,
) -> dict[str, Any]:
    found = [record.settings[key_of(candidate)] for candidate in tried]
    measured = [Measured(sums=one["sums"]) for one in found]
    chosen = recommend(measured, reference)
    settings = [
        {**candidate.as_dict(), **values.as_dict(), "example": one["example"]}
        for candidate, values, one in zip(tried, measured, found, strict=True)
    ]
    own_text = RunFolder(model.path).data.is_dir()
    return {
        "model": model.name,
        "weights_sha256": model.weights_sha256,
        "conditions": {
            "prompts": str(conditions.prompts.name) if conditions.prompts else "held-out text",
            "number_of_prompts": prompts,
            "seeds": conditions.seeds,
            "new_tokens": new_tokens,
            "seed": conditions.seed,
            "words_of": "the run's own training text" if own_text else "documentation installed on this machine",
        },
        "real_text": reference.as_dict(),
        "settings": settings,
        "recommended": {
            **{name: value for name, value in settings[chosen.place].items() if name != "example"},
            "rule": RULE,
            "why": _why(chosen.without_loops, chosen.without_garble, len(tried)),
        },
        "recipe_section": _recipe_section(tried[chosen.place].settings),
    }


def _why(without_loops: int, without_garble: int, tried: int) -> str:
    return (
        f"{without_loops} of {tried} settings do not loop clearly more than the best, {without_garble} of these do "
        "not garble clearly more, and of these it is nearest to real text in likelihood"
    )


def _recipe_section(settings: SamplingSettings) -> str:
    """What to write into a recipe."""
    off = SamplingSettings()
    values = {name: value for name, value in asdict(settings).items() if value != getattr(off, name)}
    values.pop("max_new_tokens", None)
    values.setdefault("temperature", settings.temperature)
    return "\n".join(["[sampling]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())])
