import errno
import hashlib
import importlib.util
import json
import os
from dataclasses import replace

import pytest

from smidgen.checkpoints.open_model import config_from_dict
from smidgen.errors import BadInput, CheckFailed, OutOfResources
from smidgen.export.onnx.onnx_export import export_onnx
from smidgen.records import atomic, manifest
from smidgen.tokenization.tokenizer import Tokenizer

from ..tiny import DIGITS, PLAIN, RULES, tiny_model

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from smidgen.export.onnx import graph as graph_module  # noqa: E402

# Each takes ten seconds to trace.
OTHER_SHAPES = {
    "plain": {},
    "multi-head": {"num_heads": 5, "num_kv_heads": 5, "head_dim": 4},
    "multi-query": {"num_heads": 5, "num_kv_heads": 1, "head_dim": 10},
    "one layer": {"num_layers": 1, "xsa": True},
    "own head": {"tie_embeddings": False},
    "digits": DIGITS,
}


@pytest.fixture
def traced_before(exported, monkeypatch):
    """The graph as it was traced for ``exported``, at no cost."""
    graph = onnx.load(exported[0] / "model.onnx")
    monkeypatch.setattr(graph_module, "decoding_graph", lambda decoder, metadata: graph)


def test_onnxruntime_reads_the_export_back_and_agrees(exported):
    _, record = exported
    assert 0 < record["parity"]["max_abs_logit_diff"] <= 1e-5
    assert 0 <= record["parity"]["kl"] < 1e-9
    assert record["parity"]["top1"] == 1
    assert any("read back with onnxruntime" in note for note in record["notes"])
    assert (record["format"], record["refused"]) == ("onnx", [])


# What the exporter once refused; the others are for `make soak`.
QUICK = ("multi-head", PLAIN)


@pytest.mark.parametrize(
    ("shape", "settings"),
    [
        pytest.param(
            shape, settings, id=f"{shape}, {name}", marks=() if (shape, settings) == QUICK else pytest.mark.soak
        )
        for shape in OTHER_SHAPES
        for name, settings in (("plain text", PLAIN), ("text rules", RULES))
    ],
)
def test_every_shape_agrees(tmp_path, shape, settings):
    record = export_onnx(tiny_model(settings, **OTHER_SHAPES[shape]), tmp_path / "out")
    assert 0 < record["parity"]["max_abs_logit_diff"] <= 1e-5


@pytest.mark.soak
def test_the_same_model_gives_the_same_bytes(model, exported, tmp_path):
    export_onnx(model, tmp_path / "again")
    assert (tmp_path / "again" / "model.onnx").read_bytes() == (exported[0] / "model.onnx").read_bytes()


def test_the_record_lists_every_file_with_length_and_hash(exported):
    folder, record = exported
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "files.json"}
    listed = [{key: file[key] for key in ("name", "bytes", "sha256")} for file in record["files"]]
    assert listed == [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(contents.items())
    ]
    assert manifest.damage(folder) == []


def test_the_file_holds_each_weight_once_and_little_else(model, exported):
    [file] = [file for file in exported[1]["files"] if file["name"] == "model.onnx"]
    weights = 4 * sum(parameter.numel() for parameter in model.decoder.parameters())
    assert weights < file["bytes"] < weights + 60_000
    assert file["bits_per_weight"] == round(32 * file["bytes"] / weights, 2)
    assert file["types"]["F32"] >= len(list(model.decoder.parameters()))


def test_the_graph_is_valid_and_says_what_it_is(model, exported):
    graph = onnx.load(exported[0] / "model.onnx")
    onnx.checker.check_model(graph, full_check=True)
    assert [(one.domain, one.version) for one in graph.opset_import] == [("", 23)]
    stated = {entry.key: entry.value for entry in graph.metadata_props}
    special = model.tokenizer.special_ids
    assert config_from_dict(json.loads(stated["design"])) == model.config
    assert json.loads(stated["special_token_ids"]) == special
    assert json.loads(stated["stop_token_ids"]) == [special["eos"], special["end_of_text"]]
    assert stated["tokenizer_sha256"] == model.tokenizer.fingerprint
    assert (stated["name"], stated["weights_sha256"], stated["context_length"]) == ("tiny", "0" * 64, "24")


def test_nothing_in_the_graph_tells_of_the_machine(exported):
    content = (exported[0] / "model.onnx").read_bytes()
    for private in (b".py", b"/smidgen", os.getcwd().encode()):
        assert private not in content


def test_axes_are_free_but_for_those_of_the_design(exported):
    graph = onnx.load(exported[0] / "model.onnx").graph
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes["input_ids"] == shapes["attention_mask"] == ["batch", "tokens"]
    assert shapes["past"] == [2, 2, "batch", 3, "past_tokens", 8]
    assert shapes["present"] == [2, 2, "batch", 3, "tokens", 8]
    assert shapes["logits"][0] == "batch"
    assert shapes["logits"][2] == 290


def test_tokenizer_and_sampling_advice_lie_beside_it(model, exported):
    folder, _ = exported
    assert Tokenizer.open(folder).fingerprint == model.tokenizer.fingerprint
    advice = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    assert (advice["do_sample"], advice["temperature"], advice["top_p"]) == (True, 0.7, 0.9)


def test_an_existing_folder_is_refused_and_left_as_it_is(model, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="exists already"):
        export_onnx(model, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named_with_what_installs_it(model, tmp_path, monkeypatch, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(BadInput, match=rf'ONNX needs {missing}, not installed here; pip install "smidgen\[onnx\]"'):
        export_onnx(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_torch_that_cannot_trace_says_so(model, tmp_path, monkeypatch):
    def fails(*args, **options):
        raise ValueError("opset 23 is unknown\nand more")

    monkeypatch.setattr(graph_module.torch.onnx, "export", fails)
    with pytest.raises(BadInput, match=r"cannot write ONNX of opset 23 \(opset 23 is unknown\)"):
        export_onnx(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("traced_before")
def test_an_export_that_computes_something_else_is_not_handed_out(model, tmp_path):
    other = replace(model, decoder=tiny_model().decoder)
    with pytest.raises(CheckFailed):
        export_onnx(other, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("traced_before")
@pytest.mark.parametrize("full_at", range(4))
def test_a_full_disk_is_named_and_leaves_nothing(model, tmp_path, monkeypatch, full_at):
    written = []

    def fsync(descriptor, sync=os.fsync):
        written.append(descriptor)
        if len(written) > 4 * full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    with pytest.raises(OutOfResources, match="no space left"):
        export_onnx(model, tmp_path / "out")
    assert len(written) == 4 * full_at + 1
    assert list(tmp_path.iterdir()) == []
