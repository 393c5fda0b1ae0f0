"""Where this user keeps what can be made again: extracted text, compiled libraries, measured choices."""

import os
from pathlib import Path


def user_cache() -> Path:
    """The folder, which need not exist yet."""
    return Path(os.path.expanduser("~")) / ".cache" / "smidgen"
