"""What a client of ``/v1/completions`` asks for, checked field by field."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.recipes.presets import sampling_preset
from smidgen.recipes.sampling import SamplingSettings
from smidgen.serving.fields import SHOWN, Fields, is_number, is_whole, quoted, wrong
from smidgen.serving.limits import Limits
from smidgen.serving.penalties import Penalties
from smidgen.serving.refusal import Refusal

Prompt = str | tuple[int, ...]

_PROMPTS = "a string, a list of strings, a list of token ids or a list of such lists"


@dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """``n`` texts after each of the prompts.

    Choice i of a prompt is drawn with ``seed + i``. ``logprobs`` is how many of the likeliest tokens are told beside
    each token, None for no log-probabilities at all. ``truncate`` keeps the end of a prompt that is too long.
    """

    model: OpenModel
    prompts: tuple[Prompt, ...]
    sampling: SamplingSettings
    penalties: Penalties
    n: int
    seed: int
    stop: tuple[str, ...]
    logprobs: int | None
    echo: bool
    truncate: bool
    stream: bool
    include_usage: bool


def completion_request(
    values: Mapping[str, Any], models: Mapping[str, OpenModel], limits: Limits
) -> CompletionRequest:
    """Read a JSON object. What is not given is what the model's makers recommend.

    Raises ``Refusal`` for anything that cannot be done as asked.
    """
    given = Fields(values)
    model = chosen_model(given, models)
    prompts = _prompts(given.any("prompt"))
    n = given.whole("n", 1, limits.choices) or 1
    if len(prompts) * n > limits.choices:
        raise Refusal(f"{len(prompts)} prompts x n={n} are more than {limits.choices} texts at once", param="n")
    seed = given.whole("seed", 0, 2**63 - 1 - n)
    request = CompletionRequest(
        model=model,
        prompts=prompts,
        sampling=_sampling(given, model, limits),
        penalties=Penalties(
            presence=given.number("presence_penalty", -2, 2) or 0.0,
            frequency=given.number("frequency_penalty", -2, 2) or 0.0,
            biases=_biases(given.any("logit_bias"), model.tokenizer.vocab_size, limits),
        ),
        n=n,
        # 31 bits, which JavaScript and everything else can read.
        seed=secrets.randbits(31) if seed is None else seed,
        stop=_stops(given.any("stop"), limits),
        logprobs=given.whole("logprobs", 0, limits.logprobs),
        echo=given.flag("echo"),
        truncate=given.flag("truncate"),
        stream=given.flag("stream"),
        include_usage=_include_usage(given.any("stream_options")),
    )
    _refuse_what_we_lack(given, n)
    given.refuse_others()
    return request


def chosen_model(given: Fields, models: Mapping[str, OpenModel]) -> OpenModel:
    """The model that is named, or the first. Raises ``Refusal`` for a name that is not served."""
    name = given.text("model")
    if name is None:
        return next(iter(models.values()))
    if name not in models:
        raise Refusal(f"{quoted(name)} is not served here; there is {', '.join(models)}", status=404, param="model")
    return models[name]


def _prompts(prompt: Any) -> tuple[Prompt, ...]:
    if isinstance(prompt, str):
        return (prompt,)
    if isinstance(prompt, list) and prompt:
        if all(isinstance(part, str) for part in prompt):
            return tuple(prompt)
        if _are_ids(prompt):
            return (tuple(prompt),)
        if all(isinstance(part, list) and part and _are_ids(part) for part in prompt):
            return tuple(map(tuple, prompt))
    if prompt is None:
        raise Refusal(f"the prompt is missing; give {_PROMPTS}", param="prompt")
    raise wrong("prompt", prompt, f"{_PROMPTS}, none of them empty")


def _are_ids(values: list[Any]) -> bool:
    return all(map(is_whole, values))


def _sampling(given: Fields, model: OpenModel, limits: Limits) -> SamplingSettings:
    advised = _advice(given.text("preset"), model)
    names = [field.name for field in fields(SamplingSettings) if field.name != "max_new_tokens"]
    chosen = {name: value for name in names if (value := given.any(name)) is not None}
    max_tokens = given.whole("max_tokens", 0, limits.tokens)
    if max_tokens is None:
        max_tokens = min(advised.max_new_tokens, limits.tokens)
    try:
        return replace(advised, **chosen, max_new_tokens=max_tokens)
    except ValueError as error:
        name = str(error).partition("=")[0]
        raise wrong(name, chosen[name], str(error).partition(" must be ")[2]) from error


def _advice(preset: str | None, model: OpenModel) -> SamplingSettings:
    """What a shipped recipe recommends, or else the model's makers."""
    if preset is None:
        return model.sampling
    try:
        return sampling_preset(preset[:SHOWN])
    except BadInput as error:
        raise Refusal(str(error), param="preset") from error


def _biases(value: Any, vocab_size: int, limits: Limits) -> tuple[tuple[int, float], ...]:
    if value is None:
        return ()
    expected = f"an object of up to {limits.biases} token ids below {vocab_size}, each with a number from -100 to 100"
    if not isinstance(value, dict) or len(value) > limits.biases:
        raise wrong("logit_bias", value, expected)
    biases = []
    for key, bias in value.items():
        # Digits alone, and few: int() would read much more.
        is_id = key.isascii() and key.isdigit() and len(key) < 10 and int(key) < vocab_size
        if not is_id or not is_number(bias) or not -100 <= bias <= 100:
            raise Refusal(f"logit_bias has {quoted(key)}: {quoted(bias)}, but must be {expected}", param="logit_bias")
        biases.append((int(key), float(bias)))
    return tuple(biases)


def _stops(value: Any, limits: Limits) -> tuple[str, ...]:
    stops = [] if value is None else [value] if isinstance(value, str) else value
    expected = f"a string or a list of up to {limits.stops} strings of 1 to {limits.stop_characters} characters"
    if not isinstance(stops, list) or len(stops) > limits.stops:
        raise wrong("stop", value, expected)
    if not all(isinstance(stop, str) and 0 < len(stop) <= limits.stop_characters for stop in stops):
        raise wrong("stop", value, expected)
    return tuple(stops)


def _include_usage(options: Any) -> bool:
    if options is None:
        return False
    if not isinstance(options, dict):
        raise wrong("stream_options", options, "an object")
    given = Fields(options)
    include_usage = given.flag("include_usage")
    given.refuse_others()
    return include_usage


def _refuse_what_we_lack(given: Fields, n: int) -> None:
    if given.any("suffix"):
        raise Refusal("suffix: this model writes on from a prompt and cannot fill gaps", param="suffix")
    best_of = given.whole("best_of", 1, 2**31)
    if best_of not in (None, n):
        raise Refusal(f"best_of is {best_of}: texts are not ranked; ask for n={best_of} and choose", param="best_of")
    # Who asks makes no difference here; OpenAI counts abuse by it.
    given.text("user")
