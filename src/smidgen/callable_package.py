"""Packages that share their name with a function of the Python interface.

``smidgen.design`` is a package of modules and also what a user calls. Whichever is imported first, the name is the
package, so the package itself has to be callable.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _CallablePackage(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Any:
        function = getattr(import_module("smidgen.api"), self.__name__.rpartition(".")[2])
        return function(*arguments, **options)


def make_callable(name: str) -> None:
    """Let calls of the package go to the function of the same name in ``smidgen.api``."""
    sys.modules[name].__class__ = _CallablePackage
