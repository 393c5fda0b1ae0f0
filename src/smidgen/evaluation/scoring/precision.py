"""The number formats that products can be computed in."""

from typing import Literal

# "float32" gives what lm-evaluation-harness gives in float32; "bfloat16" errs by about 0.02 nats a token, "int8" by
# five times that, and both are only good for what is decided by a wide margin. From the roughest to the exact one.
Precision = Literal["int8", "bfloat16", "float32"]
EXACT: Precision = "float32"
ROUGH: tuple[Precision, ...] = ("int8", "bfloat16")
