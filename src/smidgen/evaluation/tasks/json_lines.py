"""One JSON object a line, plain or gzipped, read so that whatever is wrong is named with its line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from smidgen.errors import BadInput


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line numbers from 1 and their objects; blank lines are passed over.

    Raises ``BadInput`` for a file that cannot be read, is empty or damaged, and for a line that is not UTF-8 or no
    JSON object.
    """
    empty = True
    try:
        with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    empty = False
                    yield number, _object(line, f"{path}, line {number}")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{path} is no complete gzip file ({error}); pack or copy it again") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); expected a .jsonl or .jsonl.gz file") from error
    if empty:
        raise BadInput(f"{path} is empty; expected one JSON object per line")


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{where} is not UTF-8 text (byte {error.start} of the line); save the file as UTF-8"
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where} is not valid JSON ({error}); expected one object per line") from error
    if not isinstance(value, dict):
        raise BadInput(f"{where} holds a {type(value).__name__}; expected a JSON object with named fields")
    return value
