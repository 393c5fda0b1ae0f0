"""The tokenizer in a GGUF file."""

import json
from typing import Any

from smidgen.checkpoints.foreign_tokenizer import ForeignTokenizer
from smidgen.checkpoints.gguf.container import GGUFFile
from smidgen.checkpoints.gguf.keys import TOKENIZER_KEY
from smidgen.errors import BadInput
from smidgen.recipes.tokenizer import SpecialTokens
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.llama_cpp import splits_of
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules
from smidgen.tokenization.tokenizer import Tokenizer

# gguf's TokenType.
_CONTROL, _UNUSED = 3, 5
_ROLES = {"bos": "bos_token", "eos": "eos_token", "padding": "pad_token", "unknown": "unk_token"}


def tokenizer_of(file: GGUFFile) -> Tokenizer | ForeignTokenizer:
    """Ours where Smidgen wrote the file, else one that transformers runs.

    Raises ``BadInput`` for a kind that is not byte-level BPE, for splits that are not known here, and for damage.
    """
    kind = file.settings.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise BadInput(
            f"{file.path} has a tokenizer of the kind {kind!r}; byte-level BPE ('gpt2') can be read: give the "
            "Hugging Face folder that the file was made from"
        )
    name = file.settings.get("tokenizer.ggml.pre")
    splits = splits_of(name) if isinstance(name, str) else None
    if splits is None:
        raise BadInput(
            f"{file.path} cuts texts as {name!r} does, which is not known here (gpt-2 and smollm are); give the "
            "Hugging Face folder that the file was made from"
        )
    tokens, merges = _texts(file, "tokens"), _texts(file, "merges")
    types = file.settings.get("tokenizer.ggml.token_type")
    if not isinstance(types, list) or len(types) != len(tokens):
        raise BadInput(f"{file.path} has no type for each of its tokens")
    if TOKENIZER_KEY in file.settings:
        return _our_own(file, tokens, merges, types, splits)
    return _foreign(file, tokens, merges, types, splits)


def _our_own(file: GGUFFile, tokens: list[str], merges: list[str], types: list[Any], splits: Splits) -> Tokenizer:
    try:
        stated = json.loads(file.settings[TOKENIZER_KEY])
        definition = Definition(
            special_tokens=SpecialTokens(**stated["special_tokens"]),
            splits=splits,
            rules=TextRules(),
            tokens=tuple(token for token, kind in zip(tokens, types, strict=True) if kind != _UNUSED),
            merges=tuple(_pair(merge) for merge in merges),
        )
        is_same = definition.fingerprint == stated["fingerprint"]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise BadInput(f"{file.path}: its tokenizer is damaged ({error}); export the model again") from error
    if not is_same:
        raise BadInput(f"{file.path}: its tokenizer is not the one that was written; export the model again")
    return Tokenizer(definition)


def _foreign(
    file: GGUFFile, tokens: list[str], merges: list[str], types: list[Any], splits: Splits
) -> ForeignTokenizer:
    try:
        import tokenizers
        from transformers import PreTrainedTokenizerFast
    except ModuleNotFoundError as error:
        raise BadInput(
            f'{file.path} was made by others, whose tokenizers transformers runs; pip install "smidgen[export]"'
        ) from error
    ids = {token: token_id for token_id, token in enumerate(tokens)}
    try:
        encoder = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=ids, merges=[_pair(merge) for merge in merges]))
    except Exception as error:
        raise BadInput(f"{file.path}: its merges do not fit its tokens ({error})") from error
    encoder.pre_tokenizer = splits.pre_tokenizer()
    encoder.decoder = tokenizers.decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
    encoder.add_special_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in control])
    roles = {
        name: tokens[token_id] for role, name in _ROLES.items() if (token_id := _role(file, role, tokens)) is not None
    }
    if file.settings.get("tokenizer.ggml.add_bos_token") is True and "bos_token" in roles:
        bos = roles["bos_token"]
        encoder.post_processor = tokenizers.processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, ids[bos])]
        )
    return ForeignTokenizer(PreTrainedTokenizerFast(tokenizer_object=encoder, **roles), origin=str(file.path))


def _role(file: GGUFFile, role: str, tokens: list[str]) -> int | None:
    value = file.settings.get(f"tokenizer.ggml.{role}_token_id")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(tokens) else None


def _pair(merge: str) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    return left, right


def _texts(file: GGUFFile, what: str) -> list[str]:
    found = file.settings.get(f"tokenizer.ggml.{what}")
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise BadInput(f"{file.path} has no list of {what}")
    return found
