"""What the texts of a study begin with: lines of a file, or passages of text that the model has not seen."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smidgen.errors import BadInput
from smidgen.evaluation.spelling_task import PROMPT_TOKENS, RealText, passages_of
from smidgen.tokenization.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Passages:
    """Token ids of real text: where it begins, which is a prompt, and how it goes on."""

    begun: list[list[int]]
    went_on: list[list[int]]


def passages(real: RealText, *, count: int, new_tokens: int, seed: int) -> Passages:
    """About ``count`` passages, in equal shares from each source, each with something to go on with.

    Raises ``BadInput`` where no text is held out.
    """
    each = max(1, count // max(1, len(real.held_out)))
    whole = [ids for documents in real.held_out.values() for ids in passages_of(documents, each, seed)]
    if not whole:
        raise BadInput("no text of this run is held out to begin texts with; give prompts as --prompts FILE")
    end = PROMPT_TOKENS + new_tokens
    return Passages(begun=[ids[:PROMPT_TOKENS] for ids in whole], went_on=[ids[PROMPT_TOKENS:end] for ids in whole])


def prompts_of_file(path: Path, tokenizer: Tokenizer) -> list[list[int]]:
    """The token ids of every line; of .jsonl what stands under "prompt" or "text". Raises ``BadInput``."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise BadInput(f"--prompts {path}: no such file; give a text file with a prompt on each line") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--prompts {path} cannot be read as UTF-8 text: {error}") from error
    texts = [line for line in lines if line.strip()]
    if path.suffix == ".jsonl":
        texts = [_text_of(line, path, number) for number, line in enumerate(texts, start=1)]
    if not texts:
        raise BadInput(f"--prompts {path} is empty; give a prompt on each line")
    return [tokenizer.encode(text) for text in texts]


def _text_of(line: str, path: Path, number: int) -> str:
    try:
        row = json.loads(line)
        found = row.get("prompt", row.get("text"))
    except (ValueError, AttributeError):
        found = None
    if not isinstance(found, str) or not found:
        raise BadInput(f'--prompts {path}, line {number}, must be a JSON object with "prompt" or "text"')
    return found


def begun(prompts: Sequence[Sequence[int]], separator: int) -> list[list[int]]:
    """After the token that separates documents, as texts began in training."""
    return [[separator, *ids] for ids in prompts]
