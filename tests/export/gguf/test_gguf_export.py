"""Files as llama.cpp reads them."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from smidgen.checkpoints.gguf.container import read_gguf
from smidgen.checkpoints.open_model import open_model
from smidgen.design.file_sizes import file_sizes
from smidgen.errors import BadInput, CheckFailed, OutOfResources
from smidgen.export.gguf import file, gguf_export, metadata, proof, read_back, weights
from smidgen.export.gguf.gguf_export import export_gguf
from smidgen.export.gguf.importance import mean_squares
from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings
from smidgen.records import manifest

from ..tiny import ARITHMETIC, DIGITS, VOCAB_SIZE, logits_of, random_ids, tiny_model
from .models import block_model

pytest.importorskip("xllamacpp")

SINGLE_DIGITS = TokenizerSettings(
    digits="single", special_tokens=SpecialTokens(pad="<pad>", bos="<bos>", eos="<eos>", unk="<unk>")
)
SHAPES = {
    "grouped": {},
    "multi-head": {"num_heads": 5, "num_kv_heads": 5, "head_dim": 4},
    "multi-query, own head": {"num_heads": 5, "num_kv_heads": 1, "head_dim": 10, "tie_embeddings": False},
    "biases, large epsilon": {"attention_bias": True, "mlp_bias": True, "rms_norm_eps": 0.5},
}


@pytest.fixture(autouse=True)
def few_texts(monkeypatch):
    monkeypatch.setattr(read_back, "TEXTS", 40)


def files_of(record):
    return {entry["type"]: entry for entry in record["files"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_llama_cpp_computes_the_same_from_every_shape(tmp_path, shape):
    model = tiny_model(**SHAPES[shape])
    record = export_gguf(model, tmp_path / "out", types=["F32"])
    assert record["parity"]["max_abs_logit_diff"] < 1e-4
    assert record["parity"]["top1"] == 1
    assert record["files"][0]["parity"] == record["parity"]


def test_a_tokenizer_of_single_digits_and_all_control_tokens_is_carried(tmp_path):
    model = block_model(SINGLE_DIGITS)
    export_gguf(model, tmp_path / "out", types=["F16"])
    settings = read_gguf(tmp_path / "out" / "tiny-F16.gguf").settings
    ids = model.tokenizer.special_ids
    assert settings["tokenizer.ggml.pre"] == "smollm"
    for ours, theirs in {
        "pad": "padding",
        "bos": "bos",
        "eos": "eos",
        "unk": "unknown",
        "end_of_text": "eot",
    }.items():
        assert settings[f"tokenizer.ggml.{theirs}_token_id"] == ids[ours]
    assert settings["tokenizer.ggml.add_bos_token"] is False
    assert settings["tokenizer.ggml.token_type"] == [3] * 5 + [1] * (model.tokenizer.vocab_size - 5)
    assert "tokenizer.chat_template" not in settings


def test_rows_of_the_embedding_without_a_token_are_named_as_unused(tmp_path):
    model = block_model(vocab_size=VOCAB_SIZE + 3)
    export_gguf(model, tmp_path / "out", types=["F32"])
    opened = open_model(tmp_path / "out" / "tiny-F32.gguf")
    assert opened.config.vocab_size == VOCAB_SIZE + 3
    assert opened.tokenizer.vocab_size == VOCAB_SIZE


def test_where_the_model_comes_from_stands_in_the_file(tmp_path):
    model = replace(block_model(), recipe_sha256="ab" * 32, license="mit", training_tokens=12345)
    export_gguf(model, tmp_path / "out", types=["F32"])
    settings = read_gguf(tmp_path / "out" / "tiny-F32.gguf").settings
    assert (settings["general.name"], settings["general.license"]) == ("tiny", "mit")
    assert settings["smidgen.recipe_sha256"] == "ab" * 32
    assert settings["smidgen.training_tokens"] == 12345


def test_every_type_is_as_large_as_the_design_says_and_read_by_llama_cpp(tmp_path):
    model = block_model()
    record = export_gguf(model, tmp_path / "out", types=["F16", "BF16", "Q8_0", "Q5_0", "Q4_0"])
    predicted = {size["format"]: size for size in file_sizes(model.config)}
    for name, entry in files_of(record).items():
        path = tmp_path / "out" / entry["name"]
        stored, size = read_gguf(path), predicted[f"gguf {name}"]
        assert path.stat().st_size - stored.start == size["bytes"]
        assert entry["types"] == size["types"]
        assert entry["bits_per_weight"] == pytest.approx(size["bits_per_weight"], abs=0.005)
        assert sorted(tensor.kind for tensor in stored.tensors.values()) == sorted(
            kind for kind, count in entry["types"].items() for _ in range(count)
        )
        assert {stored.tensors[norm].kind for norm in ("output_norm.weight", "blk.0.attn_norm.weight")} == {"F32"}
    damage = [entry["parity"]["kl"] for entry in record["files"]]
    assert damage[0] < 1e-5 < damage[-1] < 0.5


def test_types_that_llama_cpp_itself_makes_are_read_by_it(tmp_path):
    model = block_model(hidden_size=256, intermediate_size=256, head_dim=64, num_layers=1)
    names = ["Q6_K", "Q4_K_M", "IQ4_XS", "Q2_K", "TQ1_0", "Q1_0"]
    record = export_gguf(model, tmp_path / "plain", types=names)
    assert [entry["type"] for entry in record["files"]] == names
    assert [entry["bits_per_weight"] for entry in record["files"]] == sorted(
        (entry["bits_per_weight"] for entry in record["files"]), reverse=True
    )
    blind = export_gguf(model, tmp_path / "blind", types=["Q2_K", "Q2_K_S"])
    assert "--imatrix" in blind["refused"][0]["reason"]
    texts = [torch.arange(30), torch.arange(50, 80)]
    told = export_gguf(
        model, tmp_path / "told", types=["Q2_K", "Q2_K_S"], importance=lambda: mean_squares(model.decoder, texts)
    )
    assert [entry["type"] for entry in told["files"]] == ["Q2_K", "Q2_K_S"]
    assert told["files"][0]["sha256"] != blind["files"][0]["sha256"]


def test_the_file_opens_as_the_model_it_was_made_from(tmp_path):
    model = block_model(SINGLE_DIGITS, tie_embeddings=False)
    export_gguf(model, tmp_path / "out", types=["F32"])
    opened = open_model(tmp_path / "out" / "tiny-F32.gguf")
    assert opened.config == model.config
    assert opened.tokenizer.fingerprint == model.tokenizer.fingerprint
    ids_BT = random_ids(2, 24)
    assert torch.equal(logits_of(opened.decoder, ids_BT), logits_of(model.decoder, ids_BT))


def test_equal_models_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        export_gguf(block_model(), tmp_path / name, types=["Q4_1"])
    assert (tmp_path / "a" / "tiny-Q4_1.gguf").read_bytes() == (tmp_path / "b" / "tiny-Q4_1.gguf").read_bytes()


def test_undeserved_names_and_twins_are_left_out(tmp_path, monkeypatch):
    # As if nothing were undeserved: then Q5_K_S, which falls back to Q5_1, is Q5_1's twin.
    model = block_model()
    record = export_gguf(model, tmp_path / "out", types=["Q5_1", "Q5_K_S"])
    assert [entry["type"] for entry in record["files"]] == ["Q5_1"]
    assert record["refused"] == [
        {"format": "gguf Q5_K_S", "reason": "rows are no multiples of 256, so it would really hold Q5_1"}
    ]
    monkeypatch.setattr(gguf_export, "why_undeserved", lambda *given, **options: "")
    record = export_gguf(model, tmp_path / "twins", types=["Q5_1", "Q5_K_S"])
    assert [entry["type"] for entry in record["files"]] == ["Q5_1"]
    assert record["refused"][0]["reason"] == "its tensors would be those of Q5_1, to the byte"
    assert sorted(path.name for path in (tmp_path / "twins").iterdir()) == ["files.json", "tiny-Q5_1.gguf"]


def test_the_folder_is_sealed(tmp_path):
    record = export_gguf(block_model(), tmp_path / "out", types=["F16"])
    assert manifest.damage(tmp_path / "out") == []
    sealed = json.loads((tmp_path / "out" / "files.json").read_text())
    assert sealed["tiny-F16.gguf"]["sha256"] == record["files"][0]["sha256"]


@pytest.mark.parametrize(
    ("changes", "settings", "reason"),
    [
        ({"xsa": True}, TokenizerSettings(), "llama.cpp has no XSA"),
        ({"logit_softcap": 5.0}, TokenizerSettings(), "no logit soft-cap"),
        ({"qk_norm": True}, TokenizerSettings(), "no norm of queries and keys"),
        (DIGITS, ARITHMETIC, "no digit features"),
        ({}, TokenizerSettings(case_mapping=True), "map case"),
        ({}, TokenizerSettings(isolate_operators=True), "operators"),
    ],
)
def test_what_gguf_cannot_carry_is_refused_by_name(tmp_path, changes, settings, reason):
    with pytest.raises(BadInput, match=reason):
        export_gguf(block_model(settings, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("types", "reason"),
    [(["Q4_X"], "Q4_X is no type"), ([], "no type was named"), (["Q6_K", "TQ1_0"], "no file is left to write")],
)
def test_types_that_cannot_be_written_are_refused(tmp_path, types, reason):
    with pytest.raises(BadInput, match=reason):
        export_gguf(block_model(), tmp_path / "out", types=types)


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        export_gguf(block_model(), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(writer):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file.GGUFWriter, "write_tensors_to_file", full)
    with pytest.raises(OutOfResources, match="no space left"):
        export_gguf(block_model(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def _wrong_order(rows, heads):
    return rows


def _wrong_theta(writer, config):
    shape_of(writer, replace(config, rope_theta=config.rope_theta * 1.1))


shape_of = metadata._add_shape


@pytest.mark.parametrize(
    ("module", "name", "wrong"),
    [
        (weights, "interleaved", _wrong_order),
        (metadata, "_add_shape", _wrong_theta),
        (metadata, "pre_tokenizer_name", lambda splits, rules: "smollm"),
    ],
)
def test_a_wrong_file_is_noticed_and_not_left_behind(tmp_path, monkeypatch, module, name, wrong):
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(CheckFailed, match=r"llama\.cpp"):
        export_gguf(block_model(), tmp_path / "out", types=["F32"])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_llama_cpp_cannot_open_is_noticed(tmp_path, monkeypatch):
    written = file.write_file

    def without_the_end(path: Path, *given):
        written(path, *given)
        path.write_bytes(path.read_bytes()[:-4096])

    monkeypatch.setattr(proof, "write_file", without_the_end)
    with pytest.raises(CheckFailed, match=r"cannot use tiny-F32\.gguf"):
        export_gguf(block_model(), tmp_path / "out", types=["F32"])


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0"])
def test_quantised_rows_in_a_wrong_order_are_noticed(tmp_path, monkeypatch, kind):
    made = file.quantise
    monkeypatch.setattr(
        file, "quantise", lambda rows, name, columns: made(rows if name == "F32" else rows[::-1], name, columns)
    )
    monkeypatch.setattr(proof, "open_model", lambda path: block_model())
    with pytest.raises(CheckFailed, match="computes something else"):
        export_gguf(block_model(), tmp_path / "out", types=[kind])


def test_without_llama_cpp_files_are_written_and_said_to_be_unread(tmp_path, monkeypatch):
    for module in (gguf_export, read_back):
        monkeypatch.setattr(module, "has_llama_cpp", lambda: False)
    record = export_gguf(block_model(), tmp_path / "out", types=["Q8_0"])
    assert record["parity"] is None
    assert "not read back" in record["notes"][0]
    assert open_model(tmp_path / "out" / "tiny-Q8_0.gguf").config == block_model().config
