"""Smidgen: the lab for language models under ten million parameters.

``load_recipe``, ``design``, ``solve``, ``train``, ``evaluate``, ``compare``, ``ablate``, ``generate``, ``samplers``
and ``export`` mean the same as the commands of their names. Importing this package loads no torch: what is used is
imported at its first use.
"""

from importlib import import_module
from typing import Any

# `smidgen.design` and `smidgen.export` are packages as well, which can be called: see `callable_package`.
__all__ = [
    "ablate",
    "compare",
    "design",
    "evaluate",
    "export",
    "generate",
    "load_recipe",
    "samplers",
    "solve",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in ("design", "export"):
        return import_module(f"smidgen.{name}")
    if name in __all__:
        return getattr(import_module("smidgen.api"), name)
    raise AttributeError(f"module 'smidgen' has no attribute {name!r}; it offers {', '.join(__all__)}")
