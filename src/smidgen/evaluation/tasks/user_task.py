"""A task of the user's own: a JSON-lines file and a few lines of TOML that say how to ask it."""

import re
import string
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter, ValidationError

from smidgen.errors import BadInput
from smidgen.evaluation.tasks.item import Choice, Completion, Item, Task
from smidgen.evaluation.tasks.json_lines import json_lines
from smidgen.recipes.keys import suggestion
from smidgen.records.fingerprint import sha256_of_file

METRICS = ("acc", "acc_norm", "acc_bytes")
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class UserTask:
    """The keys of the TOML file.

    ``context`` is a template: "Question: {question}" takes the field ``question`` of each line. ``endings`` is the
    field with the list of endings, or a list of templates; ``label`` the field with the index (from 0), the letter
    (A, B, ...) or the text of the right one. With ``completion`` there is no label, and ``endings`` is the field or
    the one template of the text that must follow. ``file`` lies relative to the TOML file.

    Raises ``ValueError`` for values that do not fit together.
    """

    name: str
    file: str
    context: str
    endings: str | list[str]
    label: str | None = None
    metric: str = "acc"
    delimiter: str = " "
    group: str | None = None
    completion: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise ValueError(f"name {self.name!r} must be letters, digits, '.', '_' and '-', such as \"my-task\"")
        if self.metric not in METRICS:
            raise ValueError(f"metric {self.metric!r} is unknown; {suggestion(self.metric, METRICS)}")
        if self.completion and (self.label or self.metric != "acc"):
            raise ValueError("a completion has no label and its metric is acc; leave both out")
        if not self.completion and not self.label:
            raise ValueError("label is missing: the field that says which ending is right")
        if isinstance(self.endings, list) and (len(self.endings) == 1) != self.completion:
            raise ValueError(f"endings has {len(self.endings)} templates; a choice needs two, a completion one")
        for template in [self.context, *(self.endings if isinstance(self.endings, list) else [])]:
            _check_template(template)


def open_user_task(path: Path, *, limit: int | None = None) -> Task:
    """The task that a TOML file describes, its first ``limit`` lines.

    Raises ``BadInput`` for a description or a line that cannot be used: which file, which line, and what to change.
    """
    description = _read_description(path)
    file = path.parent / description.file
    items = [_item(description, row, file, number) for number, row in islice(json_lines(file), limit)]
    others = () if description.completion else tuple(name for name in METRICS if name != description.metric)
    return Task(
        name=description.name,
        title=description.name,
        metrics=(description.metric, *others),
        items=items,
        source=f"own task {path.name}",
        files={source.name: sha256_of_file(source) for source in (path, file)},
        baselines=_baselines(items),
    )


# The description


def _read_description(path: Path) -> UserTask:
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}); expected a .toml file that describes a task"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from error
    try:
        return TypeAdapter(UserTask).validate_python(content, extra="forbid")
    except ValidationError as error:
        raise BadInput(f"{path}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown key {key}; {suggestion(key, [field.name for field in fields(UserTask)])}"
    if first["type"] == "missing":
        return f"{key} is missing; a task needs name, file, context, endings and label"
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    return f"{key}={first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _check_template(template: str) -> None:
    """Only plain names stand in braces: no positions, attributes, conversions or formats."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"template {template!r}: {error}; write {{{{ and }}}} for braces that stay") from error
    for _, name, form, conversion in parts:
        if name is not None and (not name or form or conversion or re.search(r"[.\[\]]|^\d+$", name)):
            raise ValueError(f"template {template!r}: expected plain field names in braces, such as {{question}}")


# The items


def _item(description: UserTask, row: Row, file: Path, number: int) -> Item:
    try:
        return _completion(description, row, number) if description.completion else _choice(description, row, number)
    except ValueError as error:
        raise BadInput(f"{file}, line {number}: {error}") from error


def _completion(description: UserTask, row: Row, number: int) -> Completion:
    (text,) = _endings(description, row)
    return Completion(
        key=str(number),
        context=_filled(description.context, row),
        continuation=description.delimiter + text,
        groups=_groups(description, row),
    )


def _choice(description: UserTask, row: Row, number: int) -> Choice:
    texts = _endings(description, row)
    assert description.label is not None, "checked with the description"
    return Choice(
        key=str(number),
        contexts=(_filled(description.context, row),),
        endings=tuple(description.delimiter + text for text in texts),
        texts=texts,
        labels=_labels(_field(row, description.label), texts, description.label),
        groups=_groups(description, row),
    )


def _endings(description: UserTask, row: Row) -> tuple[str, ...]:
    if isinstance(description.endings, list):
        texts = [_filled(template, row) for template in description.endings]
    else:
        texts = list(_listed(_field(row, description.endings), description))
    for position, text in enumerate(texts, start=1):
        if not text.strip():
            raise ValueError(f"ending {position} is empty; there would be nothing to score")
    return tuple(texts)


def _listed(value: Any, description: UserTask) -> Iterator[str]:
    name = f"endings (field {description.endings})"
    if description.completion:
        yield _text(value, name)
        return
    if not isinstance(value, list):
        raise ValueError(f"{name} holds {_shown(value)}; expected a list of texts")
    if len(value) < 2:
        raise ValueError(f"{name} holds {len(value)} of the at least two endings that a choice needs")
    for entry in value:
        yield _text(entry, name)


def _labels(value: Any, texts: tuple[str, ...], name: str) -> tuple[int, ...]:
    """The right endings; the text of an ending wins over a letter or digit that means a position."""
    same = tuple(index for index, text in enumerate(texts) if text == value)
    if same:
        return same
    index = _position(value)
    if index not in range(len(texts)):
        raise ValueError(
            f"label (field {name}) is {_shown(value)}; expected an index from 0 to {len(texts) - 1}, a letter from A "
            f"to {string.ascii_uppercase[min(len(texts), 26) - 1]}, or the text of one of the {len(texts)} endings"
        )
    return (index,)


def _position(value: Any) -> int:
    """-1 for what is no position."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return string.ascii_uppercase.find(value.upper()) if isinstance(value, str) and len(value) == 1 else -1


def _groups(description: UserTask, row: Row) -> tuple[str, ...]:
    return () if description.group is None else (_text(_field(row, description.group), f"field {description.group}"),)


def _filled(template: str, row: Row) -> str:
    names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    return template.format_map({name: _text(_field(row, name), f"field {name}") for name in names})


def _field(row: Row, name: str) -> Any:
    if name not in row:
        raise ValueError(f"field {name} is missing; {suggestion(name, list(row))}")
    return row[name]


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError(f"{name} holds {_shown(value)}; expected text or a number")
    text = str(value)
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError(f"{name} holds half of a surrogate pair, which is no text; remove it")
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _baselines(items: list[Item]) -> dict[str, float]:
    shares = [len(item.labels) / len(item.endings) for item in items if isinstance(item, Choice)]
    return {"chance": fmean(shares)} if shares else {}
