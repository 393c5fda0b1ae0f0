"""The ``config.json`` of a model of others, or of an export of ours, as a shape."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smidgen.design.families import FAMILIES, REQUIRED, Family
from smidgen.design.parameters import count_parameters
from smidgen.design.shape import Shape, shape_of
from smidgen.errors import BadInput
from smidgen.model.config import ModelConfig

# Under this key our exports with remote code keep their own settings.
OWN_SETTINGS = "smidgen"
# Beyond all that was ever trained; a slip of the hand rather than a model.
MOST_PARAMETERS, MOST_LAYERS = 10**13, 10_000
DEFAULT_THETA = 10_000.0
SIZES = (
    "vocab_size",
    "hidden_size",
    "num_layers",
    "num_heads",
    "num_kv_heads",
    "head_dim",
    "intermediate_size",
    "context_length",
)


def read_shape(path: str) -> Shape:
    """Read a ``config.json``. Raises ``BadInput`` when it is missing, broken, of an unknown family or impossible."""
    return shape_from_config(read_config(path), origin=path)


def read_config(path: str) -> dict[str, Any]:
    """The content of a ``config.json``. Raises ``BadInput`` when it is missing or no JSON object."""
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); give an existing config.json") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise BadInput(f"{path} must hold one JSON object, the configuration of a model")
    return values


def shape_from_config(values: dict[str, Any], *, origin: str) -> Shape:
    """The shape that a parsed ``config.json`` describes; ``origin`` names it in messages.

    Raises ``BadInput`` when its family is not known, a size is missing or impossible.
    """
    if isinstance(values.get(OWN_SETTINGS), dict):
        return _own(values[OWN_SETTINGS], origin)
    name = values.get("model_type")
    if not isinstance(name, str) or name not in FAMILIES:
        raise BadInput(f"{origin} has model_type {name!r}; known are {', '.join(FAMILIES)} and exports of Smidgen")
    family = FAMILIES[name]
    sizes = _sizes(family, values, origin)
    options = {**family.fixed, **_derived(family, values, sizes, origin)}
    rotary_dim = options.pop("rotary_dim", sizes["head_dim"])
    shape = Shape(family=name, **sizes, rotary_dim=rotary_dim, rope_theta=_rope_theta(values, origin), **options)
    return require_possible(shape, origin=origin)


def require_possible(shape: Shape, *, origin: str) -> Shape:
    """Raises ``BadInput`` for more parameters than any machine holds."""
    total = count_parameters(shape).total
    if shape.num_layers > MOST_LAYERS:
        raise BadInput(
            f"{origin} has {shape.num_layers} layers, more than any model; {MOST_LAYERS} are the most here"
        )
    if total > MOST_PARAMETERS:
        raise BadInput(
            f"{origin} describes {float(total):.1e} parameters, more than any model has; check its sizes, of which "
            f"{max(SIZES, key=lambda name: getattr(shape, name))} is the largest"
        )
    return shape


def _own(settings: dict[str, Any], origin: str) -> Shape:
    try:
        return shape_of(ModelConfig(**{**settings, "digit_token_ids": None}))
    except (TypeError, ValueError) as error:
        raise BadInput(f"{origin} describes no model that can be built: {error}") from error


def _sizes(family: Family, values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """The sizes of a shape and whether its head is tied, with what follows where a key is absent."""
    missing = [family.keys[name] for name in REQUIRED if values.get(family.keys[name]) is None]
    if family.keys is not FAMILIES["gpt2"].keys and values.get("intermediate_size") is None:
        missing.append("intermediate_size")
    if missing:
        raise BadInput(f"{origin} lacks {', '.join(missing)}, which a model_type {values['model_type']!r} needs")
    stated = {ours: values[theirs] for ours, theirs in family.keys.items() if values.get(theirs) is not None}
    sizes = {**family.defaults, **stated}
    for name in (*REQUIRED, *SIZES):
        if name in sizes:
            _require_size(sizes[name], family.keys.get(name, name), origin)
    sizes.setdefault("num_kv_heads", sizes["num_heads"])
    sizes.setdefault("intermediate_size", 4 * sizes["hidden_size"])
    if "head_dim" not in sizes:
        _require_multiple(sizes, family, "hidden_size", "num_heads", origin)
        sizes["head_dim"] = sizes["hidden_size"] // sizes["num_heads"]
    _require_multiple(sizes, family, "num_heads", "num_kv_heads", origin)
    return {**sizes, "tied": bool(sizes["tied"])}


def _derived(family: Family, values: dict[str, Any], sizes: dict[str, Any], origin: str) -> dict[str, Any]:
    try:
        return {ours: derive(values, sizes) for ours, derive in family.derived.items()}
    except ValueError as error:
        raise BadInput(f"{origin}: {error}") from error


def _require_size(value: Any, key: str, origin: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{origin}: {key}={value!r} must be a whole number, the size of a model")
    if value < 1:
        raise BadInput(f"{origin}: {key}={value} must be at least 1")


def _require_multiple(sizes: Mapping[str, int], family: Family, larger: str, smaller: str, origin: str) -> None:
    if sizes[larger] % sizes[smaller]:
        key, divisor = family.keys.get(larger, larger), family.keys.get(smaller, smaller)
        below = max(1, sizes[larger] // sizes[smaller]) * sizes[smaller]
        raise BadInput(
            f"{origin}: {key}={sizes[larger]} must be a multiple of {divisor}={sizes[smaller]}; {below} would work"
        )


def _rope_theta(values: Mapping[str, Any], origin: str) -> float:
    """Theta in the words of transformers 4 and 5 and of GPT-NeoX. Scaling of long contexts changes no count."""
    rope = values.get("rope_parameters")
    stated = [rope.get("rope_theta") if isinstance(rope, dict) else None, values.get("rope_theta")]
    stated += [values.get("rotary_emb_base"), DEFAULT_THETA]
    theta = next(value for value in stated if value is not None)
    if isinstance(theta, bool) or not isinstance(theta, (int, float)) or not 1 < theta < math.inf:
        raise BadInput(f"{origin}: rope_theta={theta!r} must be a number above 1; 10000 is usual")
    return float(theta)
