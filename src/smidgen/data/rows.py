"""From a row of JSON lines or parquet, or a piece of a text, to a document or the reason why it is none."""

import difflib
import json
from collections import Counter
from typing import Any

from smidgen.data.document import Document, Rejected
from smidgen.errors import BadInput

NOT_AN_OBJECT, MISSING_KEY, NOT_A_STRING = "not an object", "missing key", "not a string"
EMPTY_TEXT, EMPTY_FILE = "empty text", "empty file"
NUL_CHARACTER, LONE_SURROGATE, NOT_UTF_8 = "NUL character", "lone surrogate", "not UTF-8"
NOT_JSON, LINE_CUT_OFF, LINE_TOO_LONG = "not JSON", "line cut off", "line too long"
# Stands in a text for a line that is too long. Bytes that are not UTF-8 become other surrogates.
TOO_LONG_MARK = "\ud800"
# What would help where a source gives nothing else.
REMEDIES = {
    NOT_UTF_8: "convert it, for example with: iconv -f latin1 -t utf-8",
    NUL_CHARACTER: "it is binary, or UTF-16 without a byte order mark: save it as UTF-8",
    NOT_JSON: 'every line must be an object such as {"text": "some text"}',
    LINE_CUT_OFF: "write the file again",
    EMPTY_FILE: "it must hold some text",
}


class BadRow(ValueError):
    """A line that is no row; its message is the reason."""


def parsed(line: bytes) -> Any:
    """The JSON value on a line of JSON lines. Raises ``BadRow``."""
    if not line:
        raise BadRow(LINE_TOO_LONG)
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        cut_off = error.end == len(line) and error.reason == "unexpected end of data"
        raise BadRow(LINE_CUT_OFF if cut_off else NOT_UTF_8) from error
    except (ValueError, RecursionError) as error:
        if b"\0" in line:
            raise BadRow(NUL_CHARACTER) from error
        raise BadRow(NOT_JSON if line.endswith(b"\n") else LINE_CUT_OFF) from error


def from_row(row: Any, *, name: str, number: int, text_key: str) -> Document | Rejected:
    """What row ``number`` of the file ``name`` is; its id is its own if it has one, a string or whole number."""
    place = f"{name}#{number}"
    reason = _reason_to_reject(row, text_key)
    if reason:
        return Rejected(place, reason)
    own = row.get("id")
    if isinstance(own, str | int) and not isinstance(own, bool):
        return Document(id=f"{name}:{own}", text=row[text_key], place=place)
    return Document(id=place, text=row[text_key], place=place)


def from_piece(piece: str, *, name: str, number: int) -> Document | Rejected:
    """What piece ``number`` of the text file ``name`` is; bytes that are not UTF-8 stand in it as surrogates."""
    place = f"{name}#{number}"
    reason = _reason_to_reject_text(piece)
    if reason == LONE_SURROGATE:
        reason = LINE_TOO_LONG if TOO_LONG_MARK in piece else NOT_UTF_8
    return Rejected(place, reason) if reason else Document(id=place, text=piece, place=place)


def check_first_row(where: str, row: Any, text_key: str) -> None:
    """Raise ``BadInput`` when the first row of a file is no object or has no text; the others will not either."""
    if not isinstance(row, dict):
        raise BadInput(
            f"{where} holds a {type(row).__name__} instead of a JSON object; "
            f'every line must be an object such as {{"{text_key}": "some text"}}'
        )
    if text_key not in row:
        texts = {key: len(value) for key, value in row.items() if isinstance(value, str)}
        likely = max(texts, key=texts.__getitem__) if texts else ""
        raise missing_key(where, text_key, "key", list(row), likely)


def missing_key(where: str, text_key: str, noun: str, keys: list[str], likely: str) -> BadInput:
    """The error for a key or column that is not there, with those that are and the nearest or likeliest of them."""
    if not keys:
        return BadInput(
            f"{where} has no {noun} {text_key!r} and no other; the text must stand under a {noun} {text_key!r}"
        )
    shown = ", ".join(repr(key) for key in keys[:12]) + (" ..." if len(keys) > 12 else "")
    nearest = difflib.get_close_matches(text_key, keys, n=1)
    best = nearest[0] if nearest else likely or keys[0]
    return BadInput(
        f'{where} has no {noun} {text_key!r}, only {shown}; set text = "{best}" for this source if that is the text'
    )


def no_documents(where: str, rejected: Counter[str]) -> BadInput:
    """The error for a source of which nothing could be used, with what would help against the commonest reason."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common())
    remedy = REMEDIES.get(next(iter(dict(rejected.most_common(1))), EMPTY_FILE), "give other text")
    return BadInput(f"{where} gives no document{f' (rejected: {reasons})' if reasons else ''}; {remedy}")


def _reason_to_reject(row: Any, text_key: str) -> str:
    if not isinstance(row, dict):
        return NOT_AN_OBJECT
    if text_key not in row:
        return MISSING_KEY
    text = row[text_key]
    return _reason_to_reject_text(text) if isinstance(text, str) else NOT_A_STRING


def _reason_to_reject_text(text: str) -> str:
    if not text or text.isspace():
        return EMPTY_TEXT
    if "\0" in text:
        return NUL_CHARACTER
    return LONE_SURROGATE if _has_lone_surrogate(text) else ""


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
