"""Commands on a model that others made."""

import pytest
from transformers import GPT2Config

from ..checkpoints.foreign import AUTO_MAP, CODE, edit, write_model

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("modules_of_exports")]


@pytest.fixture
def folder(tmp_path, capsys):
    # Room for whole sentences in a small vocabulary.
    config = GPT2Config(n_embd=24, n_layer=2, n_head=3, n_positions=96, vocab_size=331, initializer_range=0.3)
    made = write_model(tmp_path / "gpt2", config, adds_bos=True)
    # The progress bar of writing it is no output of a command.
    capsys.readouterr()
    return made


def test_a_model_of_others_is_scored_and_writes(smidgen, folder):
    scored = smidgen("evaluate", folder, "--tasks", "minimal-pairs,arithmark2-generated", "--limit", 3, "--json")
    assert (scored.code, scored.err) == (0, "")
    record = scored.json
    assert record["scores"]["arithmark2-generated"]["acc"]["n"] == 3
    assert record["scores"]["minimal-pairs"]["acc"]["n"] > 3
    assert record["settings"]["max_length"] == 96
    written = smidgen("generate", folder, "--prompt", "The cats", "--max-new-tokens", 5, "--json")
    assert (written.json["tokens"], written.err) == (5, "")


@pytest.mark.parametrize(
    "command", [["evaluate", "--tasks", "minimal-pairs", "--limit", "1"], ["generate", "--prompt", "a"]]
)
def test_code_of_a_folder_runs_only_with_the_option(smidgen, folder, tmp_path, command):
    marker = tmp_path / "it ran"
    (folder / "modeling_canary.py").write_text(CODE.format(marker=str(marker)))
    edit(folder / "config.json", model_type="canary", auto_map=AUTO_MAP)
    words = [command[0], folder, *command[1:]]
    refused = smidgen(*words)
    assert (refused.code, refused.out) == (2, "")
    assert "--trust-remote-code" in refused.err
    assert not marker.exists()
    assert smidgen(*words, "--trust-remote-code").code == 0
    assert marker.exists()


def test_export_and_report_refuse_it_in_one_sentence(smidgen, folder, tmp_path):
    for words in (["export", folder, "--to", "hf", "--out", tmp_path / "out"], ["report", folder]):
        refused = smidgen(*words)
        assert refused.code == 2
        assert refused.err.count("\n") == 1
