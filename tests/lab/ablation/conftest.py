import json

import numpy as np
import pytest

from smidgen.errors import BadInput
from smidgen.lab.ablation.definition import read_ablation
from smidgen.lab.ablation.outcome import Outcome
from smidgen.lab.ablation.table import Table
from smidgen.lab.ablation.trial import folder_name
from smidgen.lab.metric import Metric

BITS = Metric("bits_per_byte")
DOCUMENTS = 7


@pytest.fixture
def written(tmp_path):
    """The path of a definition with this text."""

    def make(text, name="xsa.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return make


@pytest.fixture
def defined(written):
    """The ablation that a text defines."""

    def make(text, **keywords):
        return read_ablation(written(text), **keywords)

    return make


@pytest.fixture
def refused(written):
    """Holds a text to being refused with one sentence that names the file."""

    def check(text, message):
        path = written(text)
        with pytest.raises(BadInput, match=message) as caught:
            read_ablation(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    return check


@pytest.fixture(scope="session")
def table():
    """A table from the values of each variant by seed, or in the order of seeds from 1."""

    def make(scale=1.0, task="bits-per-byte", metric=BITS, items=100, **values):
        by_seed = {
            name: found if isinstance(found, dict) else dict(enumerate(found, start=1))
            for name, found in values.items()
        }
        named = {(name, seed): value for name, found in by_seed.items() for seed, value in found.items()}
        return Table(task=task, metric=metric, scale=scale, items=items, values=named)

    return make


@pytest.fixture(scope="session")
def outcome():
    def make(variant, seed, state="finished", scale=1.0, **record):
        return Outcome(variant=variant, seed=seed, scale=scale, state=state, record=record, tasks={}, skipped={})

    return make


@pytest.fixture
def ended(tmp_path):
    """Write what a trial leaves: `trial.json`, and scores where it finished, with the given value of each task."""

    def make(variant, seed, state="finished", scale=1.0, documents=DOCUMENTS, skipped=None, message="", **values):
        folder = tmp_path / "runs" / "trials" / folder_name(variant, seed, scale)
        (folder / "scores").mkdir(parents=True, exist_ok=True)
        bits = values.get("bits", 2.0)
        record = {
            "variant": variant,
            "seed": seed,
            "scale": scale,
            "state": state,
            "message": message,
            "tokens": round(122_880 * scale),
            "text_bytes": values.get("text_bytes"),
            "seconds": values.get("seconds", 31.0),
            "bits_per_byte": bits if state == "finished" else None,
        }
        (folder / "trial.json").write_text(json.dumps(record))
        if state == "finished":
            scores = record_of_scores(
                f"{variant} {seed} {scale}", bits, values.get("pairs"), documents, skipped or {}
            )
            (folder / "scores" / "recipe.json").write_text(json.dumps(scores))
        return folder

    return make


def record_of_scores(name, bits, pairs, documents, skipped):
    """A score record whose documents have bits per byte around a mean, and whose pairs are right at a rate of 13."""
    sizes = [100 + 10 * number for number in range(documents)]
    nats = [bits * size * float(np.log(2)) for size in sizes]
    items = [
        {"task": "bits-per-byte", "item": f"text/{number}", "nats": value, "bytes": size, "words": 9, "tokens": 11}
        for number, (size, value) in enumerate(zip(sizes, nats, strict=True))
    ]
    scores = {"bits-per-byte": {"bits_per_byte": {"value": bits, "low": bits, "high": bits, "n": documents}}}
    if pairs is not None:
        items += [
            {"task": "minimal-pairs", "item": f"pair-{number}", "labels": [0], "acc": float(number < pairs)}
            for number in range(13)
        ]
        scores["minimal-pairs"] = {"acc": {"value": pairs / 13, "low": 0.0, "high": 1.0, "n": 13}}
    return {
        "model": name,
        "parameters": 5,
        "weights_sha256": name,
        "tokenizer_sha256": "t1",
        "settings": {"precision": "exact", "seed": 0},
        "data": {},
        "scores": scores,
        "skipped": skipped,
        "items": items,
    }
