"""Where compiled libraries are kept."""

import os
from pathlib import Path


def default_cache() -> Path:
    """The folder that ``load_library`` fills, of this user."""
    return Path(os.path.expanduser("~")) / ".cache" / "smidgen" / "native"
