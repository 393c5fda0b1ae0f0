"""A program: the ids that llama.cpp gives to texts, and the text it makes of them.

    python read_by_llama_cpp.py MODEL.gguf < TEXTS.json > ANSWERS.json

In a process of its own, as llama.cpp ends the process when a file displeases it.
"""

import json
import sys
from urllib.request import ProxyHandler, Request, build_opener

import xllamacpp


def main(model):
    texts = json.load(sys.stdin)
    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.n_ctx = 64
    settings.n_gpu_layers = 0
    settings.warmup = False
    settings.cpuparams.n_threads = 1
    server = xllamacpp.Server(settings)
    # Not through a proxy, as the server listens on this machine.
    ask = build_opener(ProxyHandler({})).open
    answers = []
    for text in texts:
        ids = _post(ask, f"{server.listening_address}/tokenize", {"content": text, "parse_special": False})["tokens"]
        back = _post(ask, f"{server.listening_address}/detokenize", {"tokens": ids})["content"]
        answers.append({"ids": ids, "decoded": back})
    json.dump(answers, sys.stdout)


def _post(ask, url, body):
    with ask(Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main(sys.argv[1])
