"""Where compiled libraries are kept."""

from pathlib import Path

from smidgen.user_cache import user_cache


def default_cache() -> Path:
    """The folder that ``load_library`` fills, of this user."""
    return user_cache() / "native"
