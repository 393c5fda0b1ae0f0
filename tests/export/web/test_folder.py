import json
import re

import pytest
import torch

from smidgen.errors import BadInput, CheckFailed
from smidgen.export.web import folder as web_folder
from smidgen.export.web.browser import find_browser
from smidgen.export.web.folder import PAGE, export_web
from smidgen.export.web.read_back import GREEDY, _is_tie, check_web_folder
from smidgen.generation.decoding import complete
from smidgen.records import manifest

from ..tiny import ARITHMETIC, DIGITS, logits_of, tiny_model

needs_browser = pytest.mark.skipif(find_browser() is None, reason="needs Chromium or Chrome")


@pytest.fixture(scope="module")
def model():
    return tiny_model(ARITHMETIC, xsa=True, **DIGITS)


@needs_browser
def test_an_export_is_read_back_in_a_browser_and_equal(model, tmp_path):
    out = tmp_path / "out"
    record = export_web(model, out)
    assert record["format"] == "web"
    assert record["parity"]["max_abs_logit_diff"] < 1e-4
    assert record["parity"]["top1"] == 1
    assert {file["name"] for file in record["files"]} == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path.name != "files.json"
    }
    assert manifest.damage(out) == []
    [shown] = json.loads((out / "models.json").read_text())["models"]
    assert shown["proof"]["max_abs_logit_diff"] == record["parity"]["max_abs_logit_diff"]


@needs_browser
def test_other_weights_would_be_noticed(model, tmp_path):
    export_web(model, tmp_path / "out", check=False)
    other = tiny_model(ARITHMETIC, xsa=True, **DIGITS)
    with torch.no_grad():
        other.decoder.layers[1].mlp.down_proj.weight[3, 5] += 0.01
    with pytest.raises(CheckFailed, match="other logits"):
        check_web_folder(tmp_path / "out", other, find_browser())


def test_texts_may_part_where_two_tokens_are_equally_likely(model):
    ids = model.tokenizer.encode("The cats")
    ours = complete(model.decoder, ids, GREEDY).token_ids
    logits_V = logits_of(model.decoder, torch.tensor([[*ids, *ours[:5]]]))[0, -1]
    second = int(logits_V.topk(2).indices[1])
    theirs = [*ours[:5], second, 7, 8]
    assert not _is_tie(model, ids, ours, theirs)
    assert not _is_tie(model, ids, ours, ours[:5])
    twin = tiny_model(ARITHMETIC, xsa=True, **DIGITS, tie_embeddings=False)
    with torch.no_grad():
        twin.decoder.load_state_dict({**model.decoder.state_dict(), "lm_head.weight": model.decoder.head_weight})
        twin.decoder.head_weight[second] = twin.decoder.head_weight[ours[5]]
    assert _is_tie(twin, ids, ours, theirs)


def test_a_refused_export_leaves_nothing_behind(model, tmp_path, monkeypatch):
    def disagree(*arguments):
        raise CheckFailed("the page computes something else")

    monkeypatch.setattr(web_folder, "_checked", disagree)
    with pytest.raises(CheckFailed):
        export_web(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_alone(model, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        export_web(model, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_browser_the_record_says_so(model, tmp_path, monkeypatch):
    monkeypatch.setattr(web_folder, "find_browser", lambda: None)
    record = export_web(model, tmp_path / "out")
    assert record["parity"] is None
    assert any("not read back" in note for note in record["notes"])


def test_the_page_is_small_and_needs_nothing_from_elsewhere(model, tmp_path):
    record = export_web(model, tmp_path / "out", check=False)
    page = [file for file in record["files"] if not file["name"].startswith("model/")]
    assert sum(file["bytes"] for file in page) < 200_000
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        # Sources in comments are no addresses that a browser would open, nor is the name of a format.
        code = re.sub(r"(?m)^//.*$", "", text).replace("http://www.w3.org/2000/svg", "")
        assert "://" not in code, path.name
    policy = re.search(r'Security-Policy" content="([^"]*)"', (PAGE / "index.html").read_text(encoding="utf-8"))
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1]


READ_AS_HTML = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(")


def test_models_write_as_text_and_nothing_is_read_as_html():
    for path in PAGE.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(", text), (
            path.name
        )
