"""What the cards of GPT-S-5M and Ant-5M tell their readers to type works with our exports."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from smidgen.export.hugging_face import export_hugging_face

from .tiny import ARITHMETIC, DIGITS, PLAIN, RULES, farthest, random_ids, tiny_model

pytest.importorskip("accelerate", reason="device_map needs accelerate")

WITH_CODE = {"xsa": True, **DIGITS}


@pytest.fixture(scope="module", params=["stock", "stock with text rules", "remote code"])
def folder(request, tmp_path_factory):
    model = {
        "stock": lambda: tiny_model(PLAIN),
        "stock with text rules": lambda: tiny_model(RULES),
        "remote code": lambda: tiny_model(ARITHMETIC, **WITH_CODE),
    }[request.param]()
    out = tmp_path_factory.mktemp("exports") / "out"
    export_hugging_face(model, out, check=False)
    return out


def test_the_snippet_of_gpt_s_5m(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    model = AutoModelForCausalLM.from_pretrained(
        folder, trust_remote_code=True, dtype=torch.bfloat16, device_map="auto"
    )
    inputs = tokenizer("The future of AI is", return_tensors="pt").to(model.device)
    torch.manual_seed(0)
    with torch.inference_mode():
        output = model.generate(
            **inputs,
            max_new_tokens=120,
            do_sample=True,
            temperature=0.8,
            top_p=0.95,
            repetition_penalty=1.1,
            no_repeat_ngram_size=4,
        )
    assert output.shape[1] > inputs["input_ids"].shape[1]
    text = tokenizer.decode(output[0], skip_special_tokens=True)
    assert text.startswith("The future of AI is")


def test_the_snippet_of_ant_5m(folder):
    """Its folder needs no trust, and neither does ours where the mathematics are a plain Llama's."""
    is_stock = not (folder / "modeling_smidgen.py").exists()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, device_map="auto", trust_remote_code=not is_stock)
    inputs = tokenizer("Question: What is 2 + 2?\nAnswer:", return_tensors="pt").to(model.device)
    torch.manual_seed(0)
    outputs = model.generate(
        **inputs, max_new_tokens=15, do_sample=True, temperature=0.3, top_p=0.85, repetition_penalty=2.5
    )
    # As it stands on the card, with the batch and not its first row.
    [text] = tokenizer.decode(outputs, skip_special_tokens=True)
    assert text.startswith("Question: What is 2 + 2?\nAnswer:")


# Of torch itself, when its compiler for C++ is first used.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@torch.inference_mode()
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.soak)])
def test_a_compiled_model_computes_the_same_in_one_graph(folder, backend):
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True).eval()
    ids_BT = random_ids(2, 9)
    plain_BTV = model(ids_BT, use_cache=False).logits
    torch.compiler.reset()
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    assert farthest(compiled(ids_BT, use_cache=False).logits, plain_BTV) < 1e-5
    for name in ("eager", "sdpa"):
        model.set_attn_implementation(name)
        assert farthest(model(ids_BT, use_cache=False).logits, plain_BTV) < 1e-5
