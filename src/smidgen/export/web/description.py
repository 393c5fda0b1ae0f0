"""What the page knows about a model: ``model.json``, beside the weights."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from smidgen.checkpoints.open_model import OpenModel, config_as_dict
from smidgen.export.web.study import sampler_study
from smidgen.native.location import default_cache
from smidgen.recipes.presets import card_presets
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.native.characters import character_classes
from smidgen.tokenization.text_rules import MOST_CAPITALS, MOST_DIGITS
from smidgen.tokenization.tokenizer import Tokenizer

FORMAT, VERSION = "smidgen-web", 1
# For a model whose recipe is not known; the second where it was made for arithmetic.
PROMPTS = ("The", "Once upon a time", "In the year")
EQUATIONS = ("12 + 34 =", "(7 + 5) * 3 =", "345 - 278 =")


def model_description(model: OpenModel, weights: Mapping[str, Any] | None) -> dict[str, Any]:
    """Plain data; ``weights`` are file, bytes and sha256 of the file beside it, None where a server computes."""
    own = isinstance(model.tokenizer, Tokenizer)
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "parameters": sum(parameter.numel() for parameter in model.decoder.parameters()),
        "config": config_as_dict(model.config),
        "tokenizer": (tokenizer_description if own else pieces_description)(model.tokenizer),
        "sampling": asdict(model.sampling),
        "presets": [{"name": name, "settings": asdict(advice)} for name, advice in card_presets().items()],
        "prompts": list(_prompts(model)),
        "equations": [asdict(equations) for equations in model.equations],
        "study": sampler_study(model),
        "weights": None if weights is None else dict(weights),
    }


def tokenizer_description(tokenizer: Tokenizer) -> dict[str, Any]:
    """Merges as three ids each, left, right and what they make; classes of characters as runs from U+0000 on."""
    definition = tokenizer.definition
    id_of = {token: token_id for token_id, token in enumerate(definition.tokens)}
    merges = [id_of[part] for left, right in definition.merges for part in (left, right, left + right)]
    return {
        "special": definition.special_tokens.present,
        "end_of_text_id": tokenizer.end_of_text_id,
        "byte_ids": [id_of[symbol] for symbol in byte_symbols()],
        "merges": merges,
        "rules": {**definition.rules.as_dict(), "most_digits": MOST_DIGITS, "most_capitals": MOST_CAPITALS},
        "splits": definition.splits.as_dict(),
        "classes": list(_runs(character_classes(default_cache()))),
    }


def pieces_description(tokenizer: Tokenizer) -> dict[str, Any]:
    """Of a tokenizer that others made, what each token stands for: enough to show texts, not to encode any."""
    return {
        "pieces": tokenizer.pieces(range(tokenizer.vocab_size)),
        "special_ids": sorted(set(tokenizer.special_ids.values())),
        "end_of_text_id": tokenizer.end_of_text_id,
    }


def _prompts(model: OpenModel) -> tuple[str, ...]:
    """Those of its recipe, else some that fit what it is for."""
    if model.prompts:
        return model.prompts
    return (*EQUATIONS, *PROMPTS) if getattr(model.config, "has_digit_features", False) else PROMPTS


def _runs(classes: bytes) -> Iterator[int]:
    for kind, group in groupby(classes):
        yield from (sum(1 for _ in group), kind)
