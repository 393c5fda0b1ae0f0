"""The folder of a tokenizer: read by Smidgen, and by transformers without remote code.

``tokenizer.json``, ``tokenizer_config.json`` and ``special_tokens_map.json`` are what transformers 4 and 5 read; they
give the same ids (portable.py). ``smidgen.json`` names the rules and splits. Smidgen takes vocabulary and merges from
``tokenizer.json`` and nothing else: the files may come from anyone, so every other part is built anew.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.recipes.tokenizer import SpecialTokens
from smidgen.records import atomic
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.portable import portable_encoder
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import MOST_CAPITALS, MOST_DIGITS, TextRules

FORMAT, VERSION = "smidgen-tokenizer", 1
TOKENIZER_NAME, SMIDGEN_NAME = "tokenizer.json", "smidgen.json"
# What transformers writes when no limit is known: int(1e30).
NO_LIMIT = 1000000000000000019884624838656
# Part of what the text rules do, though no setting: with others a tokenizer would give other ids.
_LIMITS = {"most_digits": MOST_DIGITS, "most_capitals": MOST_CAPITALS}


def write(definition: Definition, folder: Path, *, context_length: int | None = None) -> None:
    """Write the four files, replacing those of an earlier tokenizer; other files in the folder are left alone."""
    special = _transformers_names(definition.special_tokens)
    atomic.write_text(folder / TOKENIZER_NAME, portable_encoder(definition).to_str(pretty=True) + "\n")
    atomic.write_json(folder / "tokenizer_config.json", _tokenizer_config(special, context_length))
    atomic.write_json(folder / "special_tokens_map.json", special)
    # Last, because its fingerprint vouches for the others: an interrupted replacement is refused, not mixed up.
    atomic.write_json(
        folder / SMIDGEN_NAME,
        {
            "format": FORMAT,
            "version": VERSION,
            "special_tokens": asdict(definition.special_tokens),
            "splits": definition.splits.as_dict(),
            "text_rules": definition.rules.as_dict(),
            "limits": _LIMITS,
            "fingerprint": definition.fingerprint,
        },
    )


def read(folder: Path) -> Definition:
    """The tokenizer that ``write`` left. Raises ``BadInput`` when it is missing, damaged or of another program."""
    if not (folder / SMIDGEN_NAME).is_file():
        raise BadInput(
            f"{folder} holds no tokenizer of Smidgen (no {SMIDGEN_NAME}); "
            "give a folder that `smidgen tokenizer train` or a run wrote"
        )
    stored = _json(folder / SMIDGEN_NAME)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise BadInput(f'{folder / SMIDGEN_NAME} is of another program: its "format" must be "{FORMAT}"')
    if stored.get("version") != VERSION:
        raise BadInput(
            f"{folder / SMIDGEN_NAME} has format version {stored.get('version')}, this Smidgen reads version "
            f"{VERSION}; use the Smidgen that wrote it, or train the tokenizer again"
        )
    definition = _definition(folder, stored)
    if definition.fingerprint != stored.get("fingerprint"):
        raise BadInput(
            f"the tokenizer in {folder} is not the one that was written there: {TOKENIZER_NAME} or {SMIDGEN_NAME} "
            "has changed; restore the files or train the tokenizer again"
        )
    if definition.rules != TextRules() and stored.get("limits") != _LIMITS:
        raise BadInput(
            f"the text rules of the tokenizer in {folder} have the limits {stored.get('limits')}, those of this "
            f"Smidgen {_LIMITS}; use the Smidgen that wrote it, or train the tokenizer again"
        )
    return definition


def _definition(folder: Path, stored: dict[str, Any]) -> Definition:
    model = _json(folder / TOKENIZER_NAME)
    try:
        tokens = _in_order(model["model"]["vocab"])
        return Definition(
            special_tokens=SpecialTokens(**stored["special_tokens"]),
            splits=Splits(**stored["splits"]),
            rules=TextRules(**stored["text_rules"]),
            tokens=tokens,
            merges=tuple((left, right) for left, right in model["model"]["merges"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInput(
            f"the tokenizer in {folder} is damaged ({error}); restore the files or train it again"
        ) from error


def _in_order(id_of: dict[str, int]) -> tuple[str, ...]:
    tokens = tuple(sorted(id_of, key=id_of.__getitem__))
    if [id_of[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError(f"the ids of the {len(tokens)} tokens are not 0 to {len(tokens) - 1}")
    return tokens


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repetition)
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing; restore it or train the tokenizer again") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is no readable JSON ({error}); restore it or train the tokenizer again") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two they take.
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f'"{next(key for key in keys if keys.count(key) > 1)}" twice in one object')
    return content


def _tokenizer_config(special: dict[str, Any], context_length: int | None) -> dict[str, Any]:
    return {
        # transformers 5 would write "TokenizersBackend", which version 4 cannot load; both read this one.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_length or NO_LIMIT,
        "add_bos_token": False,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        # The default has token_type_ids too, which generate() of a Llama refuses.
        "model_input_names": ["input_ids", "attention_mask"],
        **special,
    }


def _transformers_names(special_tokens: SpecialTokens) -> dict[str, Any]:
    """The control tokens by the names of transformers; the end of a text also begins and ends where no bos or eos
    exists, as in GPT-2.
    """
    end_of_text = special_tokens.end_of_text
    names: dict[str, Any] = {
        "bos_token": special_tokens.bos or end_of_text,
        "eos_token": special_tokens.eos or end_of_text,
    }
    if special_tokens.unk:
        names["unk_token"] = special_tokens.unk
    if special_tokens.pad:
        names["pad_token"] = special_tokens.pad
    if end_of_text not in names.values():
        names["additional_special_tokens"] = [end_of_text]
    return names
