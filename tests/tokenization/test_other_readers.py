"""Programs that read our tokenizers, each where it is installed (`make soak` installs two of them)."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.llama_cpp import pre_tokenizer_name
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.training import text_rules_of

from .awkward_text import awkward_texts
from .kinds import KINDS

HERE = Path(__file__).parent
NODE, NODE_MODULES = shutil.which("node"), Path(sys.prefix, "node", "node_modules")
TRANSFORMERS_4 = Path(sys.prefix, "transformers-4", "bin", "python")
# Control tokens in a text are recognised by JavaScript, whatever it is told.
TEXTS = [text for text in awkward_texts(300, seed=6) if "<|endoftext|>" not in text]

needs_node = pytest.mark.skipif(
    NODE is None or not (NODE_MODULES / "@huggingface" / "tokenizers").is_dir(),
    reason=f"needs Node and @huggingface/tokenizers in {NODE_MODULES}: `make readers`",
)
needs_llama_cpp = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("xllamacpp", "gguf"))), reason="needs xllamacpp and gguf"
)
needs_transformers_4 = pytest.mark.skipif(
    not TRANSFORMERS_4.exists(), reason=f"needs transformers 4.57 in {TRANSFORMERS_4.parent.parent}: `make readers`"
)


def check(tokenizer, command):
    """The program gives every text our ids and reads them back as the text."""
    done = subprocess.run(
        list(map(str, command)), input=json.dumps(TEXTS), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = json.loads(done.stdout)
    assert [answer["ids"] for answer in answers] == tokenizer.encode_batch(TEXTS)
    assert [answer["decoded"] for answer in answers] == TEXTS


@needs_node
@pytest.mark.parametrize("kind", KINDS)
def test_javascript_gives_our_ids(trained, kind, tmp_path):
    trained[kind].save(tmp_path)
    check(trained[kind], [NODE, HERE / "read_by_node.cjs", NODE_MODULES, tmp_path])


@needs_llama_cpp
@pytest.mark.parametrize("kind", ["plain", "single digits"])
def test_llama_cpp_gives_our_ids(trained, kind, tmp_path):
    from .gguf_file import write_gguf

    write_gguf(trained[kind], tmp_path / "tiny.gguf")
    check(trained[kind], [sys.executable, HERE / "read_by_llama_cpp.py", tmp_path / "tiny.gguf"])


@pytest.mark.soak
@needs_transformers_4
@pytest.mark.parametrize("kind", KINDS)
def test_version_4_of_transformers_gives_our_ids(trained, kind, tmp_path):
    trained[kind].save(tmp_path)
    check(trained[kind], [TRANSFORMERS_4, HERE / "read_by_transformers.py", tmp_path])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (TokenizerSettings(), "gpt-2"),
        (TokenizerSettings(digits="single"), "smollm"),
        (TokenizerSettings(digits="reversed"), None),
        (TokenizerSettings(digits="single", close_numbers=True), None),
        (TokenizerSettings(case_mapping=True), None),
        (TokenizerSettings(isolate_operators=True), None),
        (TokenizerSettings(digits="single", isolate_whitespace=True), None),
    ],
)
def test_llama_cpp_has_a_name_for_few_tokenizers(settings, name):
    assert pre_tokenizer_name(Splits.of(settings), text_rules_of(settings)) == name
