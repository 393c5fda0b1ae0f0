"""The name of a model that comes along stands for its folder."""

from pathlib import Path

import pytest

from smidgen.checkpoints import shipped
from smidgen.checkpoints.open_model import open_model
from smidgen.errors import BadInput
from smidgen.export.hugging_face import export_hugging_face

from ..export.tiny import tiny_model


@pytest.fixture
def folders(tmp_path, monkeypatch):
    export_hugging_face(tiny_model(), tmp_path / "installed" / "small", check=False)
    monkeypatch.setattr(shipped, "FOLDERS", (tmp_path / "installed", tmp_path / "missing"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_opens_the_model_of_that_name(folders):
    assert shipped.shipped_models() == ["small"]
    assert open_model(folders / "installed" / "small").path == open_model(Path("small")).path


def test_what_lies_there_goes_before_what_comes_along(folders):
    (folders / "small").mkdir()
    with pytest.raises(BadInput, match="small holds neither"):
        open_model(folders / "small")


@pytest.mark.parametrize("name", ["", ".", "..", "other", "installed/small/..", "../installed/small"])
def test_only_names_are_looked_up(folders, name):
    assert shipped.shipped_model(name) is None


def test_the_names_are_told(folders):
    with pytest.raises(BadInput, match=r"nothing: no such folder.*comes with Smidgen \(small\)"):
        open_model(folders / "nothing")
