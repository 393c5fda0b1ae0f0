"""One thread for decoding a single text: the matrices are too small to share, and waiting for a second core costs.

Measured on two shared cores: 820 tokens/s with one thread; with two between 34 (busy neighbour) and 900.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch use one thread inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
