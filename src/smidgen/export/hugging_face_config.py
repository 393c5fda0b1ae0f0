"""What the JSON files of a Hugging Face folder say."""

import json
from pathlib import Path
from typing import Any

from smidgen.checkpoints.open_model import SMIDGEN_KEY, config_as_dict
from smidgen.design.llama_config import LLAMA_KEYS, is_stock_llama, to_llama_config
from smidgen.model.config import ModelConfig
from smidgen.recipes.sampling import SamplingSettings
from smidgen.tokenization.tokenizer import Tokenizer


def config_json(config: ModelConfig, tokenizer: Tokenizer) -> dict[str, Any]:
    """What ``AutoConfig`` reads: a stock Llama where that computes the same function, else our own class."""
    kind = _stock(config) if is_stock_llama(config) else _with_remote_code(config)
    ids = _transformers_ids(tokenizer)
    return {
        **kind,
        "dtype": "float32",
        "use_cache": True,
        "bos_token_id": ids["bos_token_id"],
        "eos_token_id": ids["eos_token_id"],
        "pad_token_id": tokenizer.special_ids.get("pad"),
    }


def generation_config_json(tokenizer: Tokenizer, recommended: SamplingSettings | None) -> dict[str, Any]:
    """What ``generate()`` does unless told otherwise. A setting that changes nothing is left out."""
    return {**_transformers_ids(tokenizer), **(_sampling(recommended) if recommended else {})}


def tokenizer_config_json(path: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    """The ``tokenizer_config.json`` changed so that our class is loaded where code of the folder is trusted."""
    return {
        **json.loads(path.read_text(encoding="utf-8")),
        # The first place is for a tokenizer without the tokenizers library.
        "auto_map": {"AutoTokenizer": [None, "tokenization_smidgen.SmidgenTokenizer"]},
        "text_rules": tokenizer.definition.rules.as_dict(),
    }


def _stock(config: ModelConfig) -> dict[str, Any]:
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **to_llama_config(config)}


def _with_remote_code(config: ModelConfig) -> dict[str, Any]:
    return {
        "architectures": ["SmidgenForCausalLM"],
        "model_type": "smidgen",
        "auto_map": {
            "AutoConfig": "configuration_smidgen.SmidgenConfig",
            "AutoModelForCausalLM": "modeling_smidgen.SmidgenForCausalLM",
        },
        **{theirs: getattr(config, ours) for theirs, ours in LLAMA_KEYS.items()},
        SMIDGEN_KEY: config_as_dict(config),
    }


def _transformers_ids(tokenizer: Tokenizer) -> dict[str, Any]:
    """The control tokens; the end of a text begins, ends and pads where nothing else does, as with GPT-2."""
    ids, end_of_text = tokenizer.special_ids, tokenizer.end_of_text_id
    eos = ids.get("eos", end_of_text)
    return {
        "bos_token_id": ids.get("bos", end_of_text),
        # Either ends a text, as the training stream separates documents by end_of_text.
        "eos_token_id": eos if eos == end_of_text else [eos, end_of_text],
        "pad_token_id": ids.get("pad", end_of_text),
    }


def _sampling(settings: SamplingSettings) -> dict[str, Any]:
    chosen: dict[str, Any] = {"do_sample": not settings.is_greedy}
    if not settings.is_greedy:
        # top_k is written even when it is off, because transformers takes 50 where it is missing.
        chosen |= {"temperature": settings.temperature, "top_k": settings.top_k, "top_p": settings.top_p}
        chosen |= {"min_p": settings.min_p} if settings.min_p else {}
    if settings.repetition_penalty != 1:
        chosen["repetition_penalty"] = settings.repetition_penalty
    if settings.no_repeat_ngram_size:
        chosen["no_repeat_ngram_size"] = settings.no_repeat_ngram_size
    if settings.max_new_tokens:
        chosen["max_new_tokens"] = settings.max_new_tokens
    return chosen
