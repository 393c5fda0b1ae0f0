"""Texts that a model writes after prompts, as plain records with what became of them."""

from collections.abc import Callable, Sequence
from typing import Any

from smidgen.generation.decoding import complete
from smidgen.generation.repetition import loop_start
from smidgen.generation.threads import single_thread
from smidgen.model.decoder import Decoder
from smidgen.recipes.sampling import SamplingSettings
from smidgen.tokenization.tokenizer import Tokenizer


def text_samples(
    decoder: Decoder,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    settings: SamplingSettings,
    *,
    seed: int,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """A ``text_sample`` after each prompt, each with a seed of its own from ``seed`` on."""
    with single_thread():
        return [
            text_sample(decoder, tokenizer, prompt, settings, seed=seed + number, stop_requested=stop_requested)
            for number, prompt in enumerate(prompts)
        ]


def text_sample(
    decoder: Decoder,
    tokenizer: Tokenizer,
    prompt: str,
    settings: SamplingSettings,
    *,
    seed: int,
    stop_requested: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Prompt, ``text`` after it, its ``tokens``, ``finish_reason`` as in ``Completion``, and whether it runs into a
    ``loop``. An empty prompt begins a text."""
    completion = complete(
        decoder,
        tokenizer.encode(prompt) or [tokenizer.end_of_text_id],
        settings,
        stop_ids={tokenizer.end_of_text_id},
        seed=seed,
        stop_requested=stop_requested,
    )
    return {
        "prompt": prompt,
        "text": tokenizer.decode(completion.token_ids),
        "tokens": len(completion.token_ids),
        "finish_reason": completion.finish_reason,
        "loop": loop_start(completion.token_ids) is not None,
    }
