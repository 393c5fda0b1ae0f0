"""The proof that a Hugging Face folder says what our model says: transformers reads it and computes the same."""

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from smidgen.checkpoints.open_model import OpenModel
from smidgen.errors import CheckFailed
from smidgen.export.parity import Parity, allowed_difference, parity, require_close

# Largest difference between two logits in float32, for each unit of the largest logit (at least 1), because rounding
# grows with it. Measured on four published shapes, with transformers 5.23 and 4.57.6: at most 1.2e-6 with fresh
# weights (largest logit 3), 3.8e-5 with weights six times as large (largest logit 10), 4e-6 a unit. A theta of 2,600
# instead of 2,500 makes 2.4e-3 with fresh weights.
TOLERANCE = 1e-5
# Assumed to be far beyond what loading a model of ten million parameters takes anywhere.
LONGEST_SECONDS = 600
TEXTS = (
    "The cat sat on the mat.",
    "In 2024, NASA paid McDonald 1234567 dollars: naïve café, 東京 🙂\n\tend  ",
    "12 + 34 = 46\n(7 - 10) * 3 = -9\n2024 / 4 =",
)


def transformers_version() -> str | None:
    """The version that would be asked, None where transformers is not installed."""
    if importlib.util.find_spec("transformers") is None:
        return None
    return importlib.metadata.version("transformers")


def check_hugging_face(folder: Path, model: OpenModel, *, trust_remote_code: bool) -> Parity:
    """Have transformers read a finished folder and compare.

    Raises ``CheckFailed`` when it cannot read it, or finds other token ids, other texts or other logits.
    """
    answers = list(_answers(folder, _questions(model, trust_remote_code)))
    for answer, _ in answers:
        _check_text(model, answer)
    ours = [_ours(model, *answer) for answer in answers]
    found = parity(ours, [logits_NV for _, logits_NV in answers])
    finding = f"transformers {transformers_version()} computes other logits from the export than we do"
    require_close(found, allowed_difference(ours, TOLERANCE), finding)
    return found


def _questions(model: OpenModel, trust_remote_code: bool) -> dict[str, Any]:
    """Random ids, from a single token to the whole context, and the texts."""
    generator = torch.Generator().manual_seed(0)
    lengths = (1, 2, 7, 64, model.config.context_length)
    rows = [torch.randint(model.config.vocab_size, (length,), generator=generator) for length in lengths]
    token_ids = [row.tolist() for row in rows]
    return {"trust_remote_code": trust_remote_code, "token_ids": token_ids, "texts": TEXTS}


def _answers(folder: Path, questions: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Tensor]]:
    with tempfile.TemporaryDirectory(prefix="smidgen-check-") as temporary:
        asked, answered = Path(temporary, "questions.json"), Path(temporary, "answers.safetensors")
        asked.write_text(json.dumps(questions), encoding="utf-8")
        _run_reader(folder, asked, answered)
        with safe_open(answered, framework="pt") as file:
            for number, answer in enumerate(json.loads(file.metadata()["answers"])):
                yield answer, file.get_tensor(str(number))


def _run_reader(folder: Path, asked: Path, answered: Path) -> None:
    try:
        subprocess.run(
            [*reader_command(), str(folder.resolve()), str(asked), str(answered)],
            env=_environment(asked.parent),
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable(f"it took more than {LONGEST_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()
        raise _unusable(lines[-1] if lines else f"exit code {error.returncode}") from error


def reader_command() -> list[str]:
    """The program that reads, without its arguments."""
    # -P, so that a file named transformers.py in the current folder is not taken for the library.
    return [sys.executable, "-P", "-m", "smidgen.export.transformers_reader"]


def _unusable(reason: str) -> CheckFailed:
    return CheckFailed(f"transformers {transformers_version()} cannot use the export: {reason}; nothing was written")


def _environment(temporary: Path) -> dict[str, str]:
    """Ours, but without network and without a trace in the user's cache, where code from folders would stay."""
    return {
        **os.environ,
        "HF_HOME": str(temporary),
        "HF_MODULES_CACHE": str(temporary / "modules"),
        "HF_HUB_OFFLINE": "1",
        # On the CPU, where our own logits are computed.
        "CUDA_VISIBLE_DEVICES": "",
    }


@torch.inference_mode()
def _ours(model: OpenModel, answer: dict[str, Any], logits_NV: Tensor) -> Tensor:
    ids_1T = torch.tensor([answer["ids"]], device=model.decoder.embed_tokens.weight.device)
    ours_TV = model.decoder(ids_1T)[0].cpu()
    return ours_TV[answer["first"] : answer["first"] + len(logits_NV)]


def _check_text(model: OpenModel, answer: dict[str, Any]) -> None:
    if "text" not in answer:
        return
    expected = model.tokenizer.encode(answer["text"])
    for found, how in ((answer, ""), (answer["without_code"], " by tokenizer.json alone")):
        if found["ids"] != expected:
            raise CheckFailed(
                f"transformers gives {answer['text']!r} the token ids {found['ids'][:10]} ...{how} instead of "
                f"{expected[:10]} ...; nothing was written"
            )
        if found["decoded"] != answer["text"]:
            raise CheckFailed(
                f"transformers decodes {answer['text']!r} as {found['decoded']!r}{how}; nothing was written"
            )
