"""A program that opens a Hugging Face folder as its users do, and writes down what it computes.

    python -m smidgen.export.transformers_reader FOLDER QUESTIONS.json ANSWERS.safetensors

It runs in a process of its own: the folder may bring code, which ``transformers`` copies into its cache and imports.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

# Tokens written after the last text, one at a time from the cache.
GENERATED_TOKENS = 8


def main(folder: Path, questions: Path, answers: Path) -> None:
    """Answer the questions: ``{"trust_remote_code", "token_ids": [[...]], "texts": [...]}``.

    The answers are tensors "0", "1", ... of logits, and JSON for each of them: the ids, the position of the first
    logits, and for texts what decoding gives; "without_code" are the ids and their text by tokenizer.json alone.
    """
    # Imported here, as the rest of Smidgen works without it.
    from transformers import AutoModelForCausalLM, AutoTokenizer

    asked = json.loads(questions.read_text(encoding="utf-8"))
    options = {"trust_remote_code": asked["trust_remote_code"], "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    without_code = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options).eval()
    found = [*(_read_ids(model, ids) for ids in asked["token_ids"])]
    found += [_read_text(model, tokenizer, without_code, text) for text in asked["texts"]]
    found.append(_write_on(model, found[-1][0]["ids"]))
    save_file(
        {str(number): logits_NV.contiguous() for number, (_, logits_NV) in enumerate(found)},
        answers,
        metadata={"answers": json.dumps([answer for answer, _ in found])},
    )


@torch.inference_mode()
def _read_ids(model: Any, ids: list[int]) -> tuple[dict[str, Any], Tensor]:
    return {"ids": ids, "first": 0}, model(input_ids=torch.tensor([ids])).logits[0]


def _read_text(model: Any, tokenizer: Any, without_code: Any, text: str) -> tuple[dict[str, Any], Tensor]:
    ids = tokenizer(text)["input_ids"]
    answer, logits_NV = _read_ids(model, ids)
    alone = {"ids": without_code(text)["input_ids"], "decoded": without_code.decode(ids)}
    return {**answer, "text": text, "decoded": tokenizer.decode(ids), "without_code": alone}, logits_NV


def _write_on(model: Any, ids: list[int]) -> tuple[dict[str, Any], Tensor]:
    """Continue a text and keep the logits, which come out of the cache one position at a time."""
    prompt_1T = torch.tensor([ids])
    written = model.generate(
        prompt_1T,
        attention_mask=torch.ones_like(prompt_1T),
        max_new_tokens=GENERATED_TOKENS,
        do_sample=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    return {"ids": written.sequences[0].tolist(), "first": len(ids) - 1}, torch.cat(written.logits).float()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
