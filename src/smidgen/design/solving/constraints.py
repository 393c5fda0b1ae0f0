"""What a shape must keep to besides the budget."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.design.hardware import HARDWARE, hardware_named
from smidgen.errors import BadInput

# Below, the smallest shapes do not land within 1% of a budget; above, the laws say little and the list grows long.
SMALLEST_BUDGET, LARGEST_BUDGET = 100_000, 1_000_000_000
# llama.cpp cuts rows into blocks of this many for its K-quants; other widths silently become other types.
GGUF_ROW = 256
# 256 bytes and an end-of-text token, which a byte-level tokenizer needs.
SMALLEST_VOCABULARY = 257
LARGEST_VOCABULARY = 1_000_000
LARGEST_CONTEXT, LARGEST_MULTIPLE = 1_000_000_000, 8192


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """``None`` leaves a quantity free.

    ``multiple_of`` holds for every matrix: vocabulary, width, feed-forward width, and the channels of keys.
    ``kv_bytes`` limits the cache of one full context in bfloat16. ``tokens_per_second`` must be reached in training
    on the ``hardware`` named. ``training_tokens`` limits nothing: it is what the design will be trained on.

    Raises ``BadInput`` for a value that no shape can have and for options that contradict each other.
    """

    vocab_size: int | None = None
    context_length: int = 512
    gguf: bool = False
    multiple_of: int = 1
    kv_bytes: int | None = None
    tokens_per_second: float | None = None
    hardware: str = ""
    xsa: bool = False
    tie_embeddings: bool = True
    training_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.vocab_size is not None and not SMALLEST_VOCABULARY <= self.vocab_size <= LARGEST_VOCABULARY:
            raise BadInput(
                f"--vocab-size {self.vocab_size:,} must be {SMALLEST_VOCABULARY:,} (256 bytes and an end of text) to "
                f"{LARGEST_VOCABULARY:,}"
            )
        for option, value, largest in (
            ("--context", self.context_length, LARGEST_CONTEXT),
            ("--multiple-of", self.multiple_of, LARGEST_MULTIPLE),
            ("--kv-bytes", self.kv_bytes, math.inf),
            ("--tokens-per-second", self.tokens_per_second, math.inf),
            ("--tokens", self.training_tokens, math.inf),
        ):
            if value is not None and not 1 <= value <= largest:
                most = "" if largest == math.inf else f" and at most {largest:,}"
                raise BadInput(f"{option} {value} must be at least 1{most}")
        if self.hardware:
            hardware_named(self.hardware)
        elif self.tokens_per_second is not None:
            raise BadInput(
                "--tokens-per-second needs --hardware, because a speed is that of a machine: one of "
                f"{', '.join(each.name for each in HARDWARE)}"
            )
        if self.gguf and self.xsa:
            raise BadInput("--gguf and --xsa exclude each other: GGUF cannot carry XSA; leave out one of them")
        if self.vocab_size is not None and self.vocab_size % self.multiple_of:
            raise BadInput(
                f"--vocab-size {self.vocab_size:,} is not a multiple of {self.multiple_of:,} as --multiple-of wants; "
                f"{-(-self.vocab_size // self.multiple_of) * self.multiple_of:,} would be"
            )

    @property
    def tables(self) -> int:
        """Embedding tables of the model: one that is tied, or two."""
        return 1 if self.tie_embeddings else 2

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_budget(budget: int) -> None:
    """Raises ``BadInput`` for a budget outside of what the solver is for."""
    if not SMALLEST_BUDGET <= budget <= LARGEST_BUDGET:
        raise BadInput(
            f"--parameters {budget:,} is out of range: {SMALLEST_BUDGET:,} to {LARGEST_BUDGET:,} would work, and "
            "Smidgen is for models below ten million"
        )
