"""Free writing as lm-evaluation-harness asks for it: until one of several strings appears."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from lm_eval.models.utils import normalize_gen_kwargs

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import BadInput
from smidgen.generation.decoding import complete
from smidgen.recipes.sampling import SamplingSettings

# What HFLM allows where a task does not say.
DEFAULT_NEW_TOKENS = 256


@dataclass(frozen=True, kw_only=True)
class WritingTask:
    """How to draw tokens, and the strings that end the text."""

    sampling: SamplingSettings
    until: tuple[str, ...]


def writing_task(asked: Mapping[str, Any], recommended: SamplingSettings) -> WritingTask:
    """Read the ``generation_kwargs`` of a task: greedy unless it asks for sampling or a temperature.

    Penalties and filters that the task leaves open are those the model's makers recommend, which transformers takes
    from generation_config.json as well. Raises ``BadInput`` for a setting that we do not have.
    """
    settings: dict[str, Any] = dict(normalize_gen_kwargs(dict(asked), DEFAULT_NEW_TOKENS))
    until = tuple(stop for stop in settings.pop("until") or () if stop)
    temperature = settings.pop("temperature", 0.0) if settings.pop("do_sample") else 0.0
    chosen = {"temperature": temperature, "max_new_tokens": settings.pop("max_gen_toks"), **settings}
    known = {field.name for field in fields(SamplingSettings)}
    if unknown := sorted(chosen.keys() - known):
        raise BadInput(
            f"the task asks for {unknown[0]}, which Smidgen cannot do when it writes; it knows {sorted(known)}"
        )
    try:
        return WritingTask(sampling=replace(recommended, **chosen), until=until)
    except ValueError as error:
        raise BadInput(f"the task asks for {error}") from error


def write_until(
    model: OpenModel,
    prompt_ids: Sequence[int],
    task: WritingTask,
    *,
    seed: int,
    stop_requested: Callable[[], bool],
) -> str:
    """The text after the prompt up to the first of the strings, the end of the text, or the limit of tokens."""
    streaming = model.streaming_decoder()
    text = ""

    def read(token_id: int) -> None:
        nonlocal text
        text += streaming.push(token_id)

    special = model.tokenizer.special_ids
    complete(
        model.decoder,
        prompt_ids,
        task.sampling,
        stop_ids={special.get("eos", special["end_of_text"]), special["end_of_text"]},
        seed=seed,
        on_token=read,
        stop_requested=lambda: any(stop in text for stop in task.until) or stop_requested(),
    )
    return _cut(text + streaming.flush(), task.until)


def _cut(text: str, until: Sequence[str]) -> str:
    return text[: min((place for stop in until if (place := text.find(stop)) >= 0), default=len(text))]
