"""A program that opens a GGUF file in llama.cpp, and writes down what it computes.

    python -m smidgen.export.gguf.llama_cpp_reader MODEL.gguf QUESTIONS.json ANSWERS.npz

It runs in a process of its own: llama.cpp ends the process when a file displeases it. Imports nothing of ours.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

import numpy as np

# Longer than any answer takes, on a machine that does much else.
_SECONDS = 120


def main(model: Path, questions: Path, answers: Path) -> None:
    """Answer ``{"context", "vocab_size", "word_id", "exact", "texts", "prefixes", "prompts", "new_tokens"}``.

    Of each text the ids and what they decode to; after each prefix the log-probability of every token, row by row in
    "log_probabilities"; of each prompt the ids that greedy decoding adds. ``word_id`` is a token that is whole text:
    it is what the server writes after a prefix, because after part of a character it gives no probabilities.
    ``exact`` keeps keys and values in float32.
    """
    asked = json.loads(questions.read_text(encoding="utf-8"))
    server = _Server(model, asked)
    found: dict[str, Any] = {
        "texts": [server.read(text) for text in asked["texts"]],
        "greedy": [server.write(prompt, asked["new_tokens"]) for prompt in asked["prompts"]],
    }
    rows = [server.log_probabilities(prefix) for prefix in asked["prefixes"]]
    np.savez(answers, answers=np.array(json.dumps(found)), log_probabilities=np.array(rows, np.float32))


class _Server:
    def __init__(self, model: Path, asked: dict[str, Any]) -> None:
        # Imported here, so that the module can be imported where it is missing.
        import xllamacpp

        settings = xllamacpp.CommonParams()
        settings.model.path = str(model)
        settings.n_ctx = asked["context"]
        settings.n_parallel = 1
        settings.n_gpu_layers = 0
        settings.warmup = False
        # It would shorten the context where memory is short.
        settings.fit_params = False
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
        if asked["exact"]:
            settings.cache_type_k = settings.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
            settings.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._server = xllamacpp.Server(settings)
        # Not through a proxy, as the server listens on this machine.
        self._opener: OpenerDirector = build_opener(ProxyHandler({}))
        self._vocab_size, self._word_id = asked["vocab_size"], asked["word_id"]

    def read(self, text: str) -> dict[str, Any]:
        ids = self._post("tokenize", {"content": text, "parse_special": False})["tokens"]
        return {"ids": ids, "decoded": self._post("detokenize", {"tokens": ids})["content"]}

    def write(self, prompt: list[int], new_tokens: int) -> list[int]:
        asked = {"n_predict": new_tokens, "temperature": 0.0, "return_tokens": True, "samplers": ["temperature"]}
        return self._post("completion", {"prompt": prompt, **asked})["tokens"]

    def log_probabilities(self, prefix: list[int]) -> list[float]:
        """Of every token after these, by id."""
        body = {"prompt": prefix, "n_predict": 1, "n_probs": self._vocab_size, "temperature": 0.0}
        # The bias chooses what is written; the probabilities are those before it.
        answer = self._post("completion", {**body, "logit_bias": [[self._word_id, 1e6]], "cache_prompt": True})
        [step] = answer["completion_probabilities"]
        row = [float("nan")] * self._vocab_size
        for entry in step["top_logprobs"]:
            row[entry["id"]] = entry["logprob"]
        return row

    def _post(self, where: str, body: dict[str, Any]) -> Any:
        url = f"{self._server.listening_address}/{where}"
        request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return json.load(answer)
        except HTTPError as error:
            sys.exit(f"error: {where} was answered by {error.read().decode(errors='replace')}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
