"""Imports point one way. The contracts are in pyproject.toml; here a machine reads them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
LINT = """
import sys
from importlinter.cli import lint_imports

sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True))
"""


def lint(folder: Path) -> subprocess.CompletedProcess:
    """Check the contracts as they hold for the package ``smidgen`` that is found from ``folder``."""
    return subprocess.run(
        [sys.executable, "-c", LINT, str(PYPROJECT)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def names_of_the_layers() -> list[str]:
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return re.findall(r"\w+", " ".join(layers))


def write_package(folder: Path, files: dict[str, str]) -> None:
    """A package with the parts of ours, empty but for ``files``."""
    empty = {f"{name}/__init__.py": "" for name in names_of_the_layers()}
    way_in = {"__init__.py": "", "__main__.py": "from smidgen.cli import main"}
    for path, text in (empty | way_in | {"model/config.py": ""} | files).items():
        file = folder / "smidgen" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def test_the_package_keeps_its_contracts():
    result = lint(PYPROJECT.parent / "src")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 kept, 0 broken" in result.stdout


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"recipes/recipe.py": "from smidgen.model.config import x", "model/block.py": "import torch"},
        {"records/manifest.py": "from smidgen.errors import x"},
        {"training/loop.py": "import torch\nfrom smidgen.evaluation import x\nfrom smidgen.data import y"},
        {"life/stages.py": "from smidgen.training import x", "cli/run.py": "from smidgen.life import stages"},
    ],
)
def test_what_the_layers_allow_passes(files, tmp_path):
    write_package(tmp_path, files)
    result = lint(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"records/manifest.py": "from smidgen.training import x"},
            "smidgen.records is not allowed to import smidgen.training",
        ),
        (
            {"data/mixture.py": "from smidgen.generation import x"},
            "smidgen.data is not allowed to import smidgen.generation",
        ),
        (
            {"lab/verdict.py": "def f():\n    import smidgen.reports"},
            "smidgen.lab is not allowed to import smidgen.reports",
        ),
        ({"design/solver.py": "import torch"}, "smidgen.design is not allowed to import torch"),
        ({"model/config.py": "import torch"}, "smidgen.recipes is not allowed to import torch"),
        (
            {"tokenization/bpe.py": "from transformers import x"},
            "smidgen.tokenization is not allowed to import transformers",
        ),
        ({"model/norm.py": "import numpy"}, "smidgen.model is not allowed to import numpy"),
        ({"model/norm.py": "from smidgen.errors import x"}, "smidgen.model is not allowed to import smidgen.errors"),
        ({"utils/__init__.py": ""}, "utils"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_broken_contract_is_named(files, words, tmp_path):
    reader = {"recipes/recipe.py": "from smidgen.model.config import x"}
    write_package(tmp_path, reader | files)
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    # The linter breaks lines at the width of a terminal.
    assert words in " ".join(result.stdout.split())
