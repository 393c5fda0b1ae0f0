"""What a tokenizer does to sample texts: measured, and told as plain data."""

from smidgen.tokenization.quality.measurement import inspect
from smidgen.tokenization.quality.round_trips import roundtrip_failures

__all__ = ["inspect", "roundtrip_failures"]
