"""The library transformers: asked for files on this disk only, silent, and its errors in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput, SmidgenError

# In characters: some of its errors are a page long, and begin with what went wrong.
LONGEST_REASON = 300


@contextmanager
def reading(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The library, and the options with which it reads ``path`` and nothing else.

    Raises ``BadInput`` where it is not installed, and for whatever it finds wrong with the folder.
    """
    try:
        import transformers
    except ImportError as error:
        raise BadInput(f'{path} needs transformers to be read; pip install "smidgen[export]"') from error
    logging = transformers.utils.logging
    verbosity, shows_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield transformers, {"local_files_only": True}
    except SmidgenError:
        raise
    # Their code on files of others: it raises nearly every kind of error there is.
    except Exception as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
        raise BadInput(f"transformers {transformers.__version__} cannot read {path}: {reason}") from error
    finally:
        logging.set_verbosity(verbosity)
        if shows_bars:
            logging.enable_progress_bar()
