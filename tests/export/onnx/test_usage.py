import re
import subprocess
import sys
from pathlib import Path

import torch

from smidgen.export.onnx.usage import PROMPT
from smidgen.generation.decoding import complete
from smidgen.recipes.sampling import SamplingSettings

from ..tiny import CONTEXT, logits_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "onnx.md"


def program_in(document):
    [code] = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    return code


def output_of(code, folder):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_the_program_in_the_readme_runs_and_writes_what_we_write(model, exported):
    ids = model.tokenizer.encode(PROMPT)
    settings = SamplingSettings(temperature=0, max_new_tokens=CONTEXT - len(ids))
    special = model.tokenizer.special_ids
    stops = {special["eos"], special["end_of_text"]}
    written = complete(model.decoder, ids, settings, stop_ids=stops).token_ids
    assert len(written) > 2
    shown = output_of(program_in(exported[0] / "README.md"), exported[0])
    assert shown == model.tokenizer.decode([*ids, *written]) + "\n"


def test_the_program_in_the_documentation_gives_our_logits(model, exported, tmp_path):
    (tmp_path / "my-model-onnx").symlink_to(exported[0])
    shown = output_of(program_in(DOCUMENT) + "print(logits.shape, logits[0, -1].argmax())", tmp_path)
    best = logits_of(model.decoder, torch.tensor([[5, 6, 7, 8]]))[0, -1].argmax()
    assert shown == f"(1, 1, 290) {best}\n"


def test_the_readme_states_the_shapes(exported):
    readme = (exported[0] / "README.md").read_text(encoding="utf-8")
    for stated in ("(2, 2, batch, 3, past tokens, 8)", f"context is {CONTEXT} tokens", "digit features", "opset 23"):
        assert stated in readme
