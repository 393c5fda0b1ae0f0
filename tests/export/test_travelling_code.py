import ast
import sys
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_relative_import_files, get_relative_imports

import smidgen.model
from smidgen.export.travelling_code import model_files, tokenizer_files
from smidgen.tokenization import text_rules


def written(files: dict[str, str], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_the_decoder_travels_unchanged():
    files = model_files()
    for path in Path(smidgen.model.__file__).parent.glob("*.py"):
        assert files[path.name] == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("files", [model_files(), tokenizer_files()], ids=["model", "tokenizer"])
def test_the_files_need_torch_and_transformers_and_each_other_only(files):
    # transformers brings tokenizers.
    allowed = {"torch", "transformers", "tokenizers", *sys.stdlib_module_names}
    for name, content in files.items():
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed, name
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module.split(".")[0] in allowed, name
            elif isinstance(node, ast.ImportFrom):
                assert f"{node.module}.py" in files, name


@pytest.mark.parametrize("entry", ["modeling_smidgen", "configuration_smidgen", "tokenization_smidgen"])
def test_version_4_finds_all_files_because_each_entry_imports_them_itself(tmp_path, entry):
    folder = written({**model_files(), **tokenizer_files()}, tmp_path)
    needed = {Path(path).stem for path in get_relative_import_files(folder / f"{entry}.py")}
    assert set(get_relative_imports(folder / f"{entry}.py")) == needed


def test_no_file_of_the_decoder_but_the_initial_weights_stays_behind(tmp_path):
    folder = written(model_files(), tmp_path)
    found = {Path(path).name for path in get_relative_import_files(folder / "modeling_smidgen.py")}
    assert set(model_files()) - found == {"modeling_smidgen.py", "initialisation.py", "__init__.py"}


def test_the_text_rules_travel_unchanged():
    assert tokenizer_files()["text_rules.py"] == Path(text_rules.__file__).read_text(encoding="utf-8")
