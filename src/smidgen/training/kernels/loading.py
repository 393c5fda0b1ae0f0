"""Loading the kernels of this folder."""

import ctypes
from pathlib import Path

from smidgen.native.library import load_library
from smidgen.native.location import default_cache

# The pool of threads that PyTorch uses as well.
OPENMP = "-fopenmp"
# The tiles of products: rows of a matrix come in multiples of the first, tokens of a pass of the second.
CHANNELS, TOKENS = 32, 8


def load_kernel(name: str, *options: str) -> ctypes.CDLL:
    """The compiled ``name.cpp`` with the compiler's ``options``. Raises ``smidgen.native.library.Unavailable``."""
    source = Path(__file__).with_name(f"{name}.cpp")
    return load_library(source, default_cache(), options=(OPENMP, *options))
