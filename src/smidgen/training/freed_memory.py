"""Keeping freed memory in the process: fresh pages cost a training step on a processor 5 to 9% of its time."""

import ctypes
import sys

# Parameters of mallopt (malloc.h of glibc): blocks are cut from the heap whatever their size, whose end is given back
# only beyond so many bytes.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_MOST_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Ask glibc not to return large blocks to the system; False where there is no glibc to ask.

    Without it every result above 32 MiB is mapped anew on each call, and each of its pages cleared on first use.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _MOST_BYTES))
