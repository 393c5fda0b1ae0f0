"""A ladder of a run, from the command to the page."""

import json
import re
from functools import partial

import pytest

from smidgen import api
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput
from smidgen.export.gguf import ladder, read_back
from smidgen.records import manifest

pytest.importorskip("xllamacpp")


@pytest.fixture(scope="module")
def climbed(finished_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("ladder") / "out"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(read_back, "TEXTS", 20)
        patched.setattr(ladder, "Asked", partial(ladder.Asked, tokens=400, texts=6, prefixes=6))
        seen = []
        record = api.export(
            finished_run.path,
            out,
            to="gguf",
            types=["F32", "F16", "BF16", "Q4_0"],
            ladder=True,
            tasks=["minimal-pairs"],
            limit=4,
            on_file=seen.append,
        )
    return record, out, seen


def test_every_file_is_a_rung_with_all_figures(climbed):
    record, _, seen = climbed
    rungs = {rung["type"]: rung for rung in record["ladder"]["rungs"]}
    assert list(rungs) == [entry["type"] for entry in record["files"]]
    assert seen[-len(rungs) :] == [f"measuring {name}" for name in rungs]
    for rung in rungs.values():
        assert {
            "types",
            "bits_per_weight",
            "bytes",
            "kl",
            "top1",
            "perplexity",
            "loops",
            "verdict",
            "why",
        } <= rung.keys()
        assert rung["scores"]["minimal-pairs"]["acc"]["low"] <= rung["scores"]["minimal-pairs"]["acc"]["high"]
        assert rung["in_llama_cpp"]["kl"] >= 0
    assert rungs["F32"]["is_model"]
    assert rungs["F32"]["kl"]["value"] == 0
    assert rungs["F16"]["kl"]["value"] < rungs["BF16"]["kl"]["value"]
    assert [one["b"] for one in rungs["BF16"]["comparisons"]] == ["BF16"]
    assert [one["format"] for one in record["refused"]] == ["gguf Q4_0"]


def test_a_rung_is_measured_with_the_numbers_of_its_file(climbed, finished_run):
    record, out, _ = climbed
    stored = open_model(out / record["files"][2]["name"])
    assert stored.config == open_model(finished_run.path).config
    assert api.generate(out / record["files"][2]["name"], "The", max_new_tokens=3, temperature=0.0)["tokens"] <= 3


def test_the_folder_holds_record_and_page_and_is_sealed(climbed):
    record, out, _ = climbed
    assert manifest.damage(out) == []
    assert json.loads((out / "ladder.json").read_text())["rungs"] == json.loads(json.dumps(record["ladder"]["rungs"]))
    page = (out / "index.html").read_text(encoding="utf-8")
    for rung in record["ladder"]["rungs"]:
        assert rung["sha256"] in page
    assert not re.search(r"""(?:src|href)=["']?(?!#)\w""", page)


def test_a_gguf_file_is_scored_like_any_model(climbed):
    record, out, _ = climbed
    path = out / record["files"][1]["name"]
    scored = api.evaluate(path, ["minimal-pairs"], limit=4)
    again = record["ladder"]["rungs"][1]["scores"]["minimal-pairs"]["acc"]
    assert scored["scores"]["minimal-pairs"]["acc"] == again


def test_tasks_without_a_ladder_are_refused(finished_run, tmp_path):
    with pytest.raises(BadInput, match="--tasks are scored for a ladder"):
        api.export(finished_run.path, tmp_path / "out", to="gguf", tasks=["minimal-pairs"])
