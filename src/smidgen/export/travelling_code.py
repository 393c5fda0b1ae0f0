"""The Python files that travel with a Hugging Face folder which ``transformers`` cannot load by itself.

The folder is flat and every file imports the others relatively, because the loader of ``transformers`` copies only
what it finds imported that way.
"""

import ast
from pathlib import Path
from types import ModuleType

import smidgen.model
import smidgen.tokenization

WRITTEN_FOR_TRANSFORMERS = Path(__file__).parent / "remote_code"


def model_files() -> dict[str, str]:
    """Name -> content: the decoder as it is, and the two files that make it a model of ``transformers``."""
    decoder = {path.name: path.read_text(encoding="utf-8") for path in _folder_of(smidgen.model).glob("*.py")}
    return {**decoder, **_written_for_transformers("configuration_smidgen.py", "modeling_smidgen.py")}


def tokenizer_files() -> dict[str, str]:
    """Name -> content: the text rules, and the file that puts them around a tokenizer of ``transformers``."""
    rules = (_folder_of(smidgen.tokenization) / "text_rules.py").read_text(encoding="utf-8")
    return {"text_rules.py": without_smidgen(rules), **_written_for_transformers("tokenization_smidgen.py")}


def without_smidgen(source: str) -> str:
    """The source without what other parts of Smidgen are imported for: the imports, and methods annotated with them.

    All other lines stay as they are. What is left out builds things from recipes, which an export does not have.
    """
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and _is_ours(node)]
    names = {alias.name for node in imports for alias in node.names}
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _mentions(node, names)]
    left_out: list[ast.ImportFrom | ast.FunctionDef] = [*imports, *methods]
    dropped = {number for node in left_out for number in _line_numbers(node)}
    lines = source.splitlines(keepends=True)
    # Also the blank line before what is dropped, so that its neighbours keep their distance.
    dropped |= {number - 1 for number in dropped if not lines[number - 2].strip()}
    return "".join(line for number, line in enumerate(lines, start=1) if number not in dropped)


def _is_ours(node: ast.ImportFrom) -> bool:
    return node.level == 0 and (node.module or "").split(".")[0] == "smidgen"


def _line_numbers(node: ast.ImportFrom | ast.FunctionDef) -> range:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)


def _mentions(function: ast.FunctionDef, names: set[str]) -> bool:
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(function))


def _folder_of(package: ModuleType) -> Path:
    assert package.__file__ is not None
    return Path(package.__file__).parent


def _written_for_transformers(*names: str) -> dict[str, str]:
    return {name: (WRITTEN_FOR_TRANSFORMERS / name).read_text(encoding="utf-8") for name in names}
