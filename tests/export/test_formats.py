"""One table of formats, which the API and the command line read."""

import pytest

from smidgen import api
from smidgen.errors import BadInput
from smidgen.export.formats import FORMATS
from smidgen.export.hugging_face import export_hugging_face

from .tiny import tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("formats") / "model"
    export_hugging_face(tiny_model(), path, check=False)
    return path


def test_an_unknown_format_is_named_beside_the_known(folder, tmp_path):
    with pytest.raises(BadInput, match=r"--to exe is not a format of this version; known is hf, .*onnx"):
        api.export(folder, tmp_path / "out", to="exe")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_leaves_an_existing_folder_as_it_is(folder, tmp_path, name):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="exists already"):
        api.export(folder, tmp_path, to=name)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_onnx_gets_the_model_that_was_named(folder, tmp_path, monkeypatch):
    asked = []

    def export(model, out):
        asked.append((model.path, out))
        return {"format": "onnx"}

    monkeypatch.setattr("smidgen.export.onnx.onnx_export.export_onnx", export)
    assert api.export(str(folder), str(tmp_path / "out"), to="onnx") == {"format": "onnx"}
    assert asked == [(folder, tmp_path / "out")]
