import numpy as np
import pytest

from smidgen.lab.score_record import record_of

# Sizes that cannot be mistaken for each other.
METRICS = {"arc_easy": ("acc_norm", "acc"), "blimp": ("acc",), "wikitext": ("word_perplexity", "token_perplexity")}


@pytest.fixture
def content():
    """The JSON of a model's scores, made from credits of items or (nats, bytes, words, tokens) of documents."""

    def make(model="alpha", *, limit=None, tokenizer="t1", files=None, index=None, weights=None, **tasks):
        items, scores = [], {}
        for task, results in tasks.items():
            names = METRICS.get(task, ("acc",))
            items += [item_of(task, number, result, names) for number, result in enumerate(results)]
            scores[task] = {name: score_of(results, name) for name in names}
        return {
            "model": model,
            "parameters": 1_234_567,
            "weights_sha256": weights or f"weights of {model}",
            "tokenizer_sha256": tokenizer,
            "settings": {"precision": "exact", "limit": limit, "seed": 0, "max_length": 32},
            "index": index,
            "data": {task: {"source": "made up", "files": files or {f"{task}.jsonl": "f0"}} for task in tasks},
            "scores": scores,
            "baselines": {},
            "items": items,
        }

    return make


@pytest.fixture
def record(content):
    def make(*arguments, **keywords):
        made = content(*arguments, **keywords)
        return record_of(made, origin=f"{made['model']}.json")

    return make


@pytest.fixture
def credits_of():
    """Credits of two models: so many items both have right, only a, only b, none."""

    def make(both, only_a, only_b, none):
        a = [1.0] * (both + only_a) + [0.0] * (only_b + none)
        b = [1.0] * both + [0.0] * only_a + [1.0] * only_b + [0.0] * none
        return a, b

    return make


def item_of(task, number, result, names):
    if isinstance(result, tuple):
        nats, text_bytes, words, tokens = result
        return {
            "task": task,
            "item": f"{task}-{number}",
            "nats": nats,
            "bytes": text_bytes,
            "words": words,
            "tokens": tokens,
        }
    return {"task": task, "item": f"{task}-{number}", "labels": [number % 3], **dict.fromkeys(names, result)}


def score_of(results, name):
    if isinstance(results[0], tuple):
        nats, units = (np.sum([row[place] for row in results]) for place in (0, 2 if name.startswith("word") else 3))
        return {"value": float(np.exp(nats / units)), "low": 1.0, "high": 9.0, "n": len(results)}
    value = float(np.mean(results))
    return {"value": value, "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1), "n": len(results)}
