"""Nothing of a folder runs unless it was asked for: the canary is a file that its code would write."""

import pickle
from pathlib import Path

import pytest

from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput
from smidgen.evaluation.log_likelihood import log_likelihoods
from smidgen.evaluation.request import Request
from smidgen.export.hugging_face import export_hugging_face

from ..export.tiny import tiny_model
from .foreign import AUTO_MAP, CODE, edit, write_model

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("modules_of_exports")]


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "it ran"


@pytest.fixture
def folder(tmp_path, marker):
    """A sound GPT-2 with a Python file beside it that nothing refers to."""
    made = write_model(tmp_path / "canary")
    (made / "modeling_canary.py").write_text(CODE.format(marker=str(marker)))
    return made


class Canary:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_python_file_that_nothing_refers_to_is_left_alone(folder, marker):
    assert open_model(folder).decoder is not None
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer_config.json", "generation_config.json", "config.4.0.0.json"]
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_folder_that_asks_for_its_code_is_refused(folder, marker, name, nested):
    edit(folder / name, **({"text_config": [{"auto_map": AUTO_MAP}]} if nested else {"auto_map": AUTO_MAP}))
    with pytest.raises(BadInput, match=rf"{name} asks for Python code.*with your rights.*--trust-remote-code"):
        open_model(folder)
    assert not marker.exists()


def test_code_runs_and_its_model_is_scored_when_that_is_asked_for(folder, marker):
    request = [Request((3,), (5, 7))]
    plain = log_likelihoods(open_model(folder).decoder, request)
    edit(folder / "config.json", model_type="canary", auto_map=AUTO_MAP)
    assert log_likelihoods(open_model(folder, remote_code=True).decoder, request) == plain
    assert marker.exists()


def test_code_in_an_export_of_ours_never_runs(marker, tmp_path):
    model = tiny_model(xsa=True)
    export_hugging_face(model, tmp_path / "ours", check=False)
    # The list of files would notice the change.
    (tmp_path / "ours" / "files.json").unlink()
    code = tmp_path / "ours" / "modeling_smidgen.py"
    code.write_text(CODE.format(marker=str(marker)) + code.read_text())
    opened = open_model(tmp_path / "ours", remote_code=True)
    assert opened.tokenizer.fingerprint == model.tokenizer.fingerprint
    assert not opened.is_foreign
    assert not marker.exists()


def test_an_unknown_architecture_without_code_of_its_own_is_refused_all_the_same(folder, marker):
    edit(folder / "config.json", model_type="canary")
    for remote_code in (False, True):
        with pytest.raises(BadInput, match="model_type 'canary', which is no causal"):
            open_model(folder, remote_code=remote_code)
    assert not marker.exists()


@pytest.mark.parametrize("remote_code", [False, True])
def test_pickles_are_never_opened(folder, marker, remote_code):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(marker)))
    assert open_model(folder, remote_code=remote_code).decoder is not None
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"no weights as safetensors; pickles .* never opened"):
        open_model(folder, remote_code=remote_code)
    assert not marker.exists()
    pickle.loads((folder / "pytorch_model.bin").read_bytes())
    assert marker.exists()


def test_an_attention_kernel_of_the_hub_is_not_fetched(folder):
    edit(folder / "config.json", attn_implementation="somebody/kernel")
    assert open_model(folder).decoder.model.config._attn_implementation == "eager"


def test_an_adapter_is_refused(folder):
    edit(folder / "adapter_config.json", base_model_name_or_path="elsewhere")
    with pytest.raises(BadInput, match="an adapter, not a model"):
        open_model(folder)


def test_a_damaged_settings_file_is_refused(folder):
    (folder / "generation_config.json").write_text("{")
    with pytest.raises(BadInput, match=r"generation_config\.json cannot be read as JSON"):
        open_model(folder)
