import errno
import hashlib
import json
import os
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaForCausalLM

from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput, CheckFailed, OutOfResources
from smidgen.export import hugging_face, read_back
from smidgen.export.hugging_face import export_hugging_face
from smidgen.recipes.sampling import SamplingSettings
from smidgen.records import atomic

from .tiny import ARITHMETIC, CLOSING, CONTEXT, DIGITS, RULES, farthest, logits_of, random_ids, tiny_model

STOCK_SHAPES = {
    "grouped": {},
    "multi-head": {"num_heads": 5, "num_kv_heads": 5, "head_dim": 4},
    "multi-query": {"num_heads": 5, "num_kv_heads": 1, "head_dim": 10},
    "own head": {"tie_embeddings": False},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "large epsilon": {"rms_norm_eps": 0.5},
}
OTHER_SHAPES = {
    "xsa": {"xsa": True},
    "norms of heads": {"qk_norm": True},
    "digit features": DIGITS,
    "soft-cap": {"logit_softcap": 1.5},
    "everything": {"xsa": True, **DIGITS, "attention_bias": True, "mlp_bias": True, "tie_embeddings": False},
}


def export(model, out, **options):
    return export_hugging_face(model, out, check=False, **options)


@pytest.mark.parametrize("shape", STOCK_SHAPES)
def test_a_plain_shape_becomes_a_stock_llama_without_code(tmp_path, shape):
    model = tiny_model(**STOCK_SHAPES[shape])
    result = export(model, tmp_path / "out")
    assert result["kind"] == "stock LlamaForCausalLM"
    assert not list((tmp_path / "out").glob("*.py"))
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "out", trust_remote_code=False).eval()
    assert type(llama) is LlamaForCausalLM
    # Twice the context: positions beyond it have to turn by the same angles.
    ids_BT = random_ids(2, 2 * CONTEXT)
    assert farthest(llama(ids_BT).logits, logits_of(model.decoder, ids_BT)) < 1e-5


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_what_llama_cannot_compute_comes_with_code(tmp_path, shape):
    result = export(tiny_model(ARITHMETIC, **OTHER_SHAPES[shape]), tmp_path / "out")
    assert result["kind"] == "remote code"
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "smidgen"
    for reference in config["auto_map"].values():
        assert (tmp_path / "out" / f"{reference.split('.')[0]}.py").is_file()


@pytest.mark.parametrize("shape", [*STOCK_SHAPES, *OTHER_SHAPES])
def test_an_export_opens_as_the_model_it_was_made_from(tmp_path, shape):
    model = tiny_model(ARITHMETIC, **{**STOCK_SHAPES, **OTHER_SHAPES}[shape])
    export(model, tmp_path / "out")
    opened = open_model(tmp_path / "out")
    ids_BT = random_ids(2, CONTEXT)
    assert torch.equal(logits_of(opened.decoder, ids_BT), logits_of(model.decoder, ids_BT))
    assert opened.tokenizer.fingerprint == model.tokenizer.fingerprint
    assert opened.config == model.config


def test_an_export_knows_the_closing_digits_and_says_nothing_of_them_where_there_are_none(tmp_path):
    written = {}
    for name, settings in (("closing", CLOSING), ("open", ARITHMETIC)):
        model = tiny_model(settings, **DIGITS)
        export(model, tmp_path / name)
        config = json.loads((tmp_path / name / "config.json").read_text(encoding="utf-8"))
        written[name] = config["smidgen"]["digit_token_ids"].get("closing")
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path / name, trust_remote_code=True).eval()
        ids_BT = torch.tensor([model.tokenizer.encode("12 + 34 = 46\n")])
        assert farthest(theirs(ids_BT).logits, logits_of(model.decoder, ids_BT)) < 1e-5
        opened = open_model(tmp_path / name)
        assert opened.config == model.config
        assert opened.tokenizer.fingerprint == model.tokenizer.fingerprint
    assert written == {"closing": list(tiny_model(CLOSING, **DIGITS).config.digit_token_ids.closing), "open": None}


@pytest.mark.parametrize(("tied", "expected"), [(True, 0), (False, 1)])
def test_a_tied_head_is_not_stored_twice(tmp_path, tied, expected):
    export(tiny_model(tie_embeddings=tied), tmp_path / "out")
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    assert weights.count(b'"lm_head.weight"') == expected


@pytest.mark.parametrize("changes", [{}, {"xsa": True, **DIGITS}], ids=["stock", "remote code"])
def test_weights_stored_in_bfloat16_are_those_that_transformers_computes_with_in_float32(tmp_path, changes):
    model = tiny_model(ARITHMETIC, **changes)
    result = export_hugging_face(model, tmp_path / "half", types=["bf16"])
    assert result["parity"]["max_abs_logit_diff"] < 1e-4
    assert "the weights are rounded to BF16, half the size of float32" in result["notes"]
    export(model, tmp_path / "whole")
    half, whole = ((tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "whole"))
    assert half < 0.55 * whole
    opened = open_model(tmp_path / "half").decoder.state_dict()
    for name, tensor in model.decoder.state_dict().items():
        assert opened[name].equal(tensor.bfloat16().float())
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "half", trust_remote_code=bool(changes))
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert hugging_face.finished_export(model, tmp_path / "half", types=["BF16"])
    assert not hugging_face.finished_export(model, tmp_path / "half")


@pytest.mark.parametrize("types", [["F16"], ["F32", "BF16"]])
def test_other_types_of_weights_are_refused(tmp_path, types):
    with pytest.raises(BadInput, match="stored in one of F32, BF16"):
        export(tiny_model(), tmp_path / "out", types=types)
    assert not (tmp_path / "out").exists()


def test_the_result_lists_every_file_with_length_and_hash(tmp_path):
    result = export(tiny_model(), tmp_path / "out")
    contents = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name != "files.json"}
    assert result["files"] == [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(contents.items())
    ]
    assert (result["format"], result["refused"], result["parity"]) == ("hf", [], None)


@pytest.mark.parametrize("changes", [{}, {"xsa": True}], ids=["stock", "remote code"])
def test_a_changed_byte_in_any_file_is_noticed(tmp_path, changes):
    result = export(tiny_model(RULES, **changes), tmp_path / "out")
    for file in result["files"]:
        path = tmp_path / "out" / file["name"]
        intact = path.read_bytes()
        path.write_bytes(intact[:-2] + bytes([intact[-2] ^ 1]) + intact[-1:])
        with pytest.raises(BadInput):
            open_model(tmp_path / "out")
        path.write_bytes(intact)
    open_model(tmp_path / "out")


def test_an_existing_folder_is_refused_and_left_as_it_is(tmp_path):
    export(tiny_model(), tmp_path / "out")
    before = (tmp_path / "out" / "model.safetensors").read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        export(tiny_model(tie_embeddings=False), tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("full_at", range(7))
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, monkeypatch, full_at):
    written = []

    def fsync(descriptor, sync=os.fsync):
        written.append(descriptor)
        if len(written) > 4 * full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    with pytest.raises(OutOfResources, match="no space left"):
        export(tiny_model(), tmp_path / "out")
    assert len(written) == 4 * full_at + 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("given", "expected"), [(None, CONTEXT), (548, 548)])
def test_the_longest_text_of_the_tokenizer_can_exceed_the_context(tmp_path, given, expected):
    export(tiny_model(), tmp_path / "out", max_length=given)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").model_max_length == expected


def test_a_longest_text_below_one_token_is_refused(tmp_path):
    with pytest.raises(BadInput, match="max_length=0"):
        export(tiny_model(), tmp_path / "out", max_length=0)


def test_sampling_advice_becomes_what_generate_does(tmp_path):
    advice = SamplingSettings(
        temperature=0.8, top_p=0.95, min_p=0.05, repetition_penalty=1.1, no_repeat_ngram_size=4, max_new_tokens=120
    )
    export(tiny_model(), tmp_path / "out", recommended=advice)
    stored = GenerationConfig.from_pretrained(tmp_path / "out")
    for name, value in vars(advice).items():
        assert getattr(stored, name) == value, name
    assert stored.do_sample is True


def test_greedy_advice_is_free_of_settings_that_only_sampling_uses(tmp_path):
    export(tiny_model(), tmp_path / "out", recommended=SamplingSettings(temperature=0, repetition_penalty=1.3))
    stored = json.loads((tmp_path / "out" / "generation_config.json").read_text(encoding="utf-8"))
    assert stored == {
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
        "do_sample": False,
        "repetition_penalty": 1.3,
        "max_new_tokens": 128,
    }


def test_without_advice_only_the_control_tokens_are_stated(tmp_path):
    model = tiny_model(ARITHMETIC)
    export(model, tmp_path / "out")
    stored = json.loads((tmp_path / "out" / "generation_config.json").read_text(encoding="utf-8"))
    ids = model.tokenizer.special_ids
    assert stored == {
        "bos_token_id": ids["bos"],
        "eos_token_id": [ids["eos"], ids["end_of_text"]],
        "pad_token_id": ids["pad"],
    }


def test_a_stock_llama_says_what_its_tokenizer_gains_by_code(tmp_path):
    result = export(tiny_model(RULES), tmp_path / "rules")
    assert result["kind"] == "stock LlamaForCausalLM"
    assert any("the tokenizer needs no remote code" in note for note in result["notes"])
    assert not any("trust_remote_code" in note for note in export(tiny_model(), tmp_path / "plain")["notes"])


@pytest.mark.parametrize(
    ("settings", "changes"), [(RULES, {}), (ARITHMETIC, OTHER_SHAPES["everything"])], ids=["stock", "remote code"]
)
def test_transformers_reads_an_export_back_and_agrees(tmp_path, monkeypatch, settings, changes):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache of the user"))
    result = export_hugging_face(tiny_model(settings, **changes), tmp_path / "out")
    assert 0 < result["parity"]["max_abs_logit_diff"] <= 1e-5
    assert 0 <= result["parity"]["kl"] < 1e-9
    assert result["parity"]["top1"] == 1
    assert any("read back with transformers" in note for note in result["notes"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_that_computes_something_else_is_not_handed_out(tmp_path, monkeypatch):
    right = hugging_face.config_json
    monkeypatch.setattr(hugging_face, "config_json", lambda *args: {**right(*args), "rms_norm_eps": 1e-3})
    with pytest.raises(CheckFailed, match="other logits"):
        export_hugging_face(tiny_model(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_transformers_cannot_load_is_not_handed_out(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(CheckFailed, match="cannot use the export: exit code 1"):
        export_hugging_face(tiny_model(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(read_back, "LONGEST_SECONDS", 0.01)
    with pytest.raises(CheckFailed, match="more than"):
        export_hugging_face(tiny_model(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": [1, 2]}, r"token ids \[1, 2\] ... instead"),
        ({"decoded": "the cat"}, "decodes 'The cat' as 'the cat';"),
        ({"without_code": {"ids": [1, 2], "decoded": "The cat"}}, "token ids .* by tokenizer.json alone instead"),
    ],
)
def test_other_token_ids_or_another_text_are_a_failure(tmp_path, monkeypatch, changes, message):
    model = tiny_model()
    ids = model.tokenizer.encode("The cat")
    found = {"ids": ids, "decoded": "The cat"}
    answer = {**found, "first": 0, "text": "The cat", "without_code": found}
    logits_NV = logits_of(model.decoder, torch.tensor([ids]))[0]
    monkeypatch.setattr(read_back, "_answers", lambda *_: [(answer, logits_NV)])
    assert export_hugging_face(model, tmp_path / "right")["parity"]["max_abs_logit_diff"] == 0
    monkeypatch.setattr(read_back, "_answers", lambda *_: [({**answer, **changes}, logits_NV)])
    with pytest.raises(CheckFailed, match=message):
        export_hugging_face(model, tmp_path / "wrong")


def test_without_transformers_the_export_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(read_back, "transformers_version", lambda: None)
    result = export_hugging_face(tiny_model(), tmp_path / "out")
    assert result["parity"] is None
    assert any('pip install "smidgen[export]"' in note for note in result["notes"])
