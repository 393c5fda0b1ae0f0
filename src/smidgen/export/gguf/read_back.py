"""The proof that a GGUF file says what our model says: llama.cpp reads it and computes the same.

Shapes:
    N positions    V vocabulary
"""

import importlib.metadata
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import CheckFailed
from smidgen.export.gguf.quantiser import has_llama_cpp
from smidgen.export.parity import Parity, allowed_difference, parity, require_close
from smidgen.model.decoder import Decoder
from smidgen.tokenization.proof_texts import CONTROL_TOKEN_NAMES, random_texts

# Largest difference between two log-probabilities in float32, for each unit of the largest (at least 1).
TOLERANCE = 1e-4
TEXTS = 1000
PROMPTS, NEW_TOKENS = 4, 24
# Assumed to be far beyond what a model of ten million parameters takes anywhere.
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Answers:
    """What llama.cpp says: of each text ids and decoded text, of each prompt the ids that greedy decoding adds, and
    the log-probabilities after each prefix in ``rows`` (N, V).
    """

    texts: list[dict[str, Any]]
    greedy: list[list[int]]
    rows: Tensor


@dataclass(frozen=True)
class Questions:
    """``prefixes`` are token ids after which all probabilities are asked for, ``prompts`` those to continue."""

    texts: list[str]
    prefixes: list[list[int]]
    prompts: list[list[int]]

    def of_logits(self) -> "Questions":
        """Those after which probabilities are compared, alone."""
        return Questions(texts=[], prefixes=self.prefixes, prompts=[])


def llama_cpp_version() -> str | None:
    """The version that would be asked, None where xllamacpp is not installed."""
    return f"llama.cpp of xllamacpp {importlib.metadata.version('xllamacpp')}" if has_llama_cpp() else None


def questions_for(model: OpenModel) -> Questions:
    """Texts on which tokenizers fail, beginnings of random ids from a single token to one below the context, which
    is what llama.cpp reads at most before it writes.
    """
    generator = torch.Generator().manual_seed(0)
    vocab_size, context = model.tokenizer.vocab_size, model.config.context_length
    longest = max(1, context - 1)
    lengths = sorted({min(length, longest) for length in (1, 2, 3, 7, 16, 33, 64, longest)})
    rows = [torch.randint(vocab_size, (length,), generator=generator).tolist() for length in lengths]
    most = max(1, context - NEW_TOKENS)
    prompts = [ids[:most] for text in _prompts(model) if (ids := model.tokenizer.encode(text))]
    return Questions(texts=texts(TEXTS), prefixes=[*rows, *prompts], prompts=prompts)


def texts(count: int) -> list[str]:
    """Without names of control tokens, which the server may read as such, and without NUL, which ends a C string."""
    usable = (text for text in random_texts(4 * count, seed=9) if text and not _is_spoiled(text))
    return [next(usable) for _ in range(count)]


def _is_spoiled(text: str) -> bool:
    return "\0" in text or any(name in text for name in CONTROL_TOKEN_NAMES)


def _prompts(model: OpenModel) -> list[str]:
    draw = Random("prompts")
    vocabulary = range(len(model.tokenizer.definition.special_tokens.present), model.tokenizer.vocab_size)
    return [model.tokenizer.decode(draw.choices(vocabulary, k=8)) for _ in range(PROMPTS)]


def ask(path: Path, model: OpenModel, questions: Questions, *, exact: bool = True) -> Answers:
    """Have llama.cpp read a file and answer. Raises ``CheckFailed`` when it cannot."""
    with tempfile.TemporaryDirectory(prefix="smidgen-check-") as temporary:
        asked, answered = Path(temporary, "questions.json"), Path(temporary, "answers.npz")
        form = {"context": model.config.context_length, "vocab_size": model.config.vocab_size}
        form |= {"word_id": model.tokenizer.encode("a")[0], "exact": exact, "new_tokens": NEW_TOKENS}
        asked.write_text(json.dumps({**form, **asdict(questions)}), encoding="utf-8")
        _run_reader(path, asked, answered)
        with np.load(answered) as found:
            answers = json.loads(str(found["answers"]))
            rows_NV = torch.from_numpy(found["log_probabilities"])
    return Answers(texts=answers["texts"], greedy=answers["greedy"], rows=rows_NV)


def check_texts(model: OpenModel, questions: Questions, answers: Answers) -> None:
    """Raises ``CheckFailed`` for a text that llama.cpp cuts or decodes in another way."""
    expected = model.tokenizer.encode_batch(questions.texts)
    for text, ids, answer in zip(questions.texts, expected, answers.texts, strict=True):
        if answer["ids"] != ids:
            raise CheckFailed(
                f"llama.cpp gives {text[:60]!r} the token ids {answer['ids'][:10]} ... instead of {ids[:10]} ...; "
                "nothing was written"
            )
        if answer["decoded"] != text:
            raise CheckFailed(f"llama.cpp decodes {text[:60]!r} as {answer['decoded'][:60]!r}; nothing was written")


def check_exact(model: OpenModel, questions: Questions, answers: Answers, ours_NV: Tensor) -> Parity:
    """The agreement of a file in F32. Raises ``CheckFailed`` for other logits or other greedy text."""
    found = parity([ours_NV], [answers.rows])
    allowed = allowed_difference([ours_NV], TOLERANCE)
    require_close(
        found, allowed, f"{llama_cpp_version()} computes other log-probabilities from the F32 file than we do"
    )
    for prompt, written in zip(questions.prompts, answers.greedy, strict=True):
        _check_greedy(model, prompt, written, allowed)
    return found


@torch.inference_mode()
def log_probabilities(decoder: Decoder, prefixes: list[list[int]]) -> Tensor:
    """What follows each prefix: (N, V)."""
    rows = []
    for ids in prefixes:
        ids_1T = torch.tensor([ids], device=decoder.embed_tokens.weight.device)
        rows.append(decoder(ids_1T)[0, -1].float().log_softmax(dim=-1).cpu())
    return torch.stack(rows)


def _check_greedy(model: OpenModel, prompt: list[int], written: list[int], allowed: float) -> None:
    """Each token that llama.cpp wrote is our best one too, up to rounding."""
    for place, token_id in enumerate(written):
        row_V = log_probabilities(model.decoder, [[*prompt, *written[:place]]])[0]
        if row_V.max() - row_V[token_id] > 2 * allowed:
            raise CheckFailed(
                f"llama.cpp continues {model.tokenizer.decode(prompt)[:60]!r} with another greedy text than we do, "
                f"from token {place} on; nothing was written"
            )


def _run_reader(path: Path, asked: Path, answered: Path) -> None:
    command = [sys.executable, "-P", "-m", "smidgen.export.gguf.llama_cpp_reader"]
    try:
        subprocess.run(
            [*command, str(path.resolve()), str(asked), str(answered)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable(path, f"it took more than {LONGEST_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise _unusable(path, _reason(error)) from error


def _reason(error: subprocess.CalledProcessError) -> str:
    """The last line in which llama.cpp speaks of an error, else the last line."""
    lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() or "assert" in line.lower()]
    return next(reversed(told or lines), f"exit code {error.returncode}")[:300]


def _unusable(path: Path, reason: str) -> CheckFailed:
    return CheckFailed(f"{llama_cpp_version()} cannot use {path.name}: {reason}; nothing was written")
