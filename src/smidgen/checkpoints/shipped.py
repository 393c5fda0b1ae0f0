"""The models that come with Smidgen: weights that it trained itself, on text that it may give away."""

from pathlib import Path

DEFAULT_MODEL = "arithmetic-2.7m"
# In an installed package, and in a checkout.
_PACKAGE = Path(__file__).parents[1]
FOLDERS = (_PACKAGE / "shipped_models", _PACKAGE.parents[1] / "models")


def shipped_model(name: str) -> Path | None:
    """The folder of a model by its name, None where there is no such."""
    if not name or Path(name).name != name:
        return None
    return next((folder / name for folder in FOLDERS if (folder / name / "config.json").is_file()), None)


def shipped_models() -> list[str]:
    """The names of all of them."""
    return sorted({path.parent.name for folder in FOLDERS for path in folder.glob("*/config.json")})
