"""From a recipe's name or file to a validated ``Recipe``: inheritance, overrides, replaced data."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from smidgen.errors import BadInput
from smidgen.recipes import keys
from smidgen.recipes.mixture import written_by_people
from smidgen.recipes.recipe import Recipe
from smidgen.recipes.validation import validated

# Replacing this name means: all text written by people, whatever the recipe calls its sources.
ANY_TEXT = "text"


def shipped_names() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    files = resources.files("smidgen.recipes.shipped").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_recipe(
    name_or_path: str,
    *,
    overrides: Sequence[str] = (),
    data: Sequence[str] = (),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Recipe:
    """Read, merge and validate a recipe.

    ``overrides`` are ``KEY=VALUE`` with a dotted key and a TOML value (a bare word is a string); ``data`` are
    ``NAME=PATH``, which replace a source by local files. ``NAME`` may be ``text``, which stands for all sources
    of text written by people at once; the generators of equations and sentences stay. ``settings`` are values by
    dotted key, set after the overrides.

    Raises ``BadInput`` with one sentence for anything that cannot be used.
    """
    content = _read_with_parents(name_or_path, ())
    if data:
        recipe_from_dict(content, origin=name_or_path)  # so that what is replaced has the right form
    replacements = _grouped(data)
    for replacement in replacements:
        _replace_source(content, *replacement)
    _check_still_there(content, replacements, undone_by=f"--data {ANY_TEXT}")
    for key, value in map(setting_of, overrides):
        _assign(content, key, value)
    _check_still_there(content, replacements, undone_by="a --set of data.sources")
    for key, value in settings.items():
        _assign(content, key, deepcopy(value))  # the next may reach into it
    return recipe_from_dict(content, origin=name_or_path)


def recipe_from_dict(content: dict[str, Any], *, origin: str) -> Recipe:
    """Validate plain data; ``origin`` names it in messages. Raises ``BadInput``."""
    return validated(Recipe, content, origin=f"recipe {origin}")


def setting_of(override: str) -> tuple[str, Any]:
    """The dotted key and the value of ``KEY=VALUE``. Raises ``BadInput`` where there is no key or no "="."""
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise BadInput(f"--set {override} must be KEY=VALUE, for example --set training.tokens=2e6")
    return key.strip(), _toml_value(text)


def read_toml(text: str, *, origin: str) -> dict[str, Any]:
    """The content of a TOML file; ``origin`` names it in messages. Raises ``BadInput``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{origin} is not valid TOML: {error}") from error


def _read_with_parents(name_or_path: str, heirs: tuple[str, ...]) -> dict[str, Any]:
    """The file's content over that of the recipe it extends, the parent's values first."""
    content = _read(name_or_path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    if not isinstance(parent, str):
        raise BadInput(f'recipe {name_or_path}: extends={parent!r} must be a name or a path such as "gpt-s-5m"')
    if parent.endswith(".toml") and not Path(parent).is_absolute():
        parent = str(Path(name_or_path).parent / parent)
    if parent in heirs:
        raise BadInput(f"recipe {name_or_path} extends {parent}, which extends it in turn; one must stand alone")
    return _merged(_read_with_parents(parent, (*heirs, name_or_path)), content)


def _read(name_or_path: str) -> dict[str, Any]:
    path = Path(name_or_path)
    if name_or_path in shipped_names():
        text = resources.files("smidgen.recipes.shipped").joinpath(f"{name_or_path}.toml").read_text("utf-8")
    elif path.suffix == ".toml" or path.is_file():
        text = _text_of(path)
    else:
        raise BadInput(f"no recipe named {name_or_path!r}; {keys.suggestion(name_or_path, shipped_names())}")
    return read_toml(text, origin=f"recipe {name_or_path}")


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"recipe {path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise BadInput(
            f"recipe {path} cannot be read ({error.strerror}); "
            f"give an existing .toml file or one of {', '.join(shipped_names())}"
        ) from error


def _merged(parent: dict[str, Any], child: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Tables merge key by key, lists are replaced, and so are the sources, whose names belong to the curriculum."""
    result = dict(parent)
    for key, value in child.items():
        dotted = f"{prefix}{key}"
        both_tables = isinstance(value, dict) and isinstance(parent.get(key), dict)
        if both_tables and dotted != "data.sources":
            result[key] = _merged(parent[key], value, f"{dotted}.")
        else:
            result[key] = value
    return result


def _assign(content: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    target: Any = content
    for part in parents:
        target = target[int(part)] if _indexes(target, part) else _child_table(target, part)
        if not isinstance(target, (dict, list)):
            raise BadInput(f"{key} lies below {part}, which is a value and no table")
    if isinstance(target, list):
        if not _indexes(target, last):
            raise BadInput(f"{key}: {last} is no position in a list of {len(target)}")
        target[int(last)] = value
    else:
        target[last] = value


def _indexes(target: Any, part: str) -> bool:
    return isinstance(target, list) and part.isdecimal() and int(part) < len(target)


def _child_table(target: Any, part: str) -> Any:
    return target.setdefault(part, {}) if isinstance(target, dict) else None


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _grouped(data: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The paths given for each name, in the order in which names appear."""
    paths: dict[str, list[str]] = {}
    for item in data:
        name, separator, path = item.partition("=")
        if not separator or not name or not path:
            raise BadInput(f"--data {item} must be NAME=PATH, for example --data text=my-book.txt")
        paths.setdefault(name, []).append(path)
    return list(paths.items())


def _replace_source(content: dict[str, Any], name: str, paths: list[str]) -> None:
    sources = content["data"]["sources"]
    for path in paths:
        if not any(mark in path for mark in "*?[") and not Path(path).exists():
            raise BadInput(f"--data {name}={path}: no such file or folder")
    if name in sources:
        kept = {key: value for key, value in sources[name].items() if key in ("text", "purpose")}
        sources[name] = {**kept, "files": paths}
    elif name == ANY_TEXT:
        _merge_text_sources(content["data"], paths)
    else:
        known = [*sources, ANY_TEXT]
        raise BadInput(f"--data {name}: the recipe has no source {name!r}; {keys.suggestion(name, known)}")


def _check_still_there(content: dict[str, Any], replacements: list[tuple[str, list[str]]], *, undone_by: str) -> None:
    """All but the files that were just given may be changed again; else the wrong text is learned unseen."""
    for name, paths in replacements:
        try:
            kept = content["data"]["sources"][name]["files"] == paths
        except (KeyError, TypeError):
            kept = False
        if not kept:
            raise BadInput(
                f"--data {name}={paths[0]} is undone by {undone_by}; leave one out, or give its files in the other"
            )


def _merge_text_sources(data: dict[str, Any], paths: list[str]) -> None:
    """Put one source ``text`` in place of all sources of text, with the sum of their weights."""
    replaced = [name for name, source in data["sources"].items() if written_by_people(source.get("generator", ""))]
    data["sources"] = {
        ANY_TEXT: {"files": paths},
        **{name: source for name, source in data["sources"].items() if name not in replaced},
    }
    for point in data.get("curriculum", []):
        weights = point["weights"]
        total = sum(weights.pop(name, 0.0) for name in replaced)
        point["weights"] = {ANY_TEXT: total, **weights}
