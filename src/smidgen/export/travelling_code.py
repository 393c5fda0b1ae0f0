"""The Python files that travel with a Hugging Face folder which ``transformers`` cannot load by itself.

The folder is flat and every file imports the others relatively, because the loader of ``transformers`` copies only
what it finds imported that way.
"""

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
    """Name -> content: the text rules as they are, and what puts them around a tokenizer of ``transformers``."""
    rules = (_folder_of(smidgen.tokenization) / "text_rules.py").read_text(encoding="utf-8")
    return {"text_rules.py": rules, **_written_for_transformers("tokenization_smidgen.py")}


def _folder_of(package: ModuleType) -> Path:
    assert package.__file__ is not None
    return Path(package.__file__).parent


def _written_for_transformers(*names: str) -> dict[str, str]:
    return {name: (WRITTEN_FOR_TRANSFORMERS / name).read_text(encoding="utf-8") for name in names}
