"""The tree tells the story: folders and files are nouns, and tests lie where the code lies."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "managers"}
# Ways in from outside, which may hold code; every other package says what it is and what it offers, no more.
WAYS_IN = {"smidgen", "smidgen/cli"}
# Files that are copied into exports and run there, where a flat folder is asked for.
NO_PACKAGES = {"smidgen/export/remote_code"}
# Tests of the whole rather than of a folder.
TESTS_OF_THE_WHOLE = {"chaos", "contracts", "golden"}


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def names_that_say_nothing(folder: Path) -> list[str]:
    files = python_files(folder)
    parts = {part for file in files for part in (file.stem, *file.relative_to(folder).parts[:-1])}
    return sorted(parts & NAMES_THAT_SAY_NOTHING)


def folders_without_init(source: Path) -> list[str]:
    folders = {file.parent for file in python_files(source / "smidgen")}
    without = {folder.relative_to(source).as_posix() for folder in folders if not (folder / "__init__.py").exists()}
    return sorted(without - NO_PACKAGES)


def packages_with_code_in_init(source: Path) -> list[str]:
    found = []
    for file in sorted((source / "smidgen").rglob("__init__.py")):
        package = file.parent.relative_to(source).as_posix()
        own_name = package.replace("/", ".")
        statements = ast.parse(file.read_text(encoding="utf-8")).body
        if package not in WAYS_IN and not all(says_or_offers(statement, own_name) for statement in statements):
            found.append(package)
    return found


def says_or_offers(statement: ast.stmt, package: str) -> bool:
    """Whether this is a docstring, a name from its own files, a list of names, or what makes the package callable."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.ImportFrom(module=module, level=0):
            return module == "smidgen.callable_package" or f"{module}.".startswith(f"{package}.")
        case ast.Expr(value=ast.Call(func=ast.Name(id="make_callable"), args=[ast.Name(id="__name__")])):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def stray_test_folders(source: Path, tests: Path) -> list[str]:
    """Folders with tests that have no folder of code beside them."""
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")} - {Path()}
    return sorted(
        folder.as_posix()
        for folder in folders
        if folder.parts[0] not in TESTS_OF_THE_WHOLE and not (source / "smidgen" / folder).is_dir()
    )


@pytest.fixture
def wrong_tree(tmp_path):
    for path, text in {
        "src/smidgen/__init__.py": "x = 1",
        "src/smidgen/data/__init__.py": '"""Text."""\nx = 1',
        "src/smidgen/data/utils.py": "",
        "src/smidgen/model/__init__.py": '"""A model."""\nfrom smidgen.data import source',
        "src/smidgen/reports/__init__.py": 'from smidgen.reports.page import f\n\n__all__ = ["f"]',
        "src/smidgen/design/__init__.py": (
            "from smidgen.callable_package import make_callable\n\nmake_callable(__name__)"
        ),
        "src/smidgen/helpers/source.py": "",
        "tests/data/test_source.py": "",
        "tests/dada/test_source.py": "",
        "tests/golden/test_numbers.py": "",
        "tests/test_readme.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks"])
def test_every_file_and_folder_is_a_noun_of_its_own(folder):
    assert names_that_say_nothing(ROOT / folder) == []


def test_every_folder_of_code_is_a_package():
    assert folders_without_init(ROOT / "src") == []


def test_packages_hold_no_code_outside_their_files():
    assert packages_with_code_in_init(ROOT / "src") == []


def test_every_folder_of_tests_mirrors_a_folder_of_code():
    assert stray_test_folders(ROOT / "src", ROOT / "tests") == []


def test_a_wrong_tree_is_caught(wrong_tree):
    assert names_that_say_nothing(wrong_tree / "src") == ["helpers", "utils"]
    assert folders_without_init(wrong_tree / "src") == ["smidgen/helpers"]
    assert packages_with_code_in_init(wrong_tree / "src") == ["smidgen/data", "smidgen/model"]
    assert stray_test_folders(wrong_tree / "src", wrong_tree / "tests") == ["dada"]
