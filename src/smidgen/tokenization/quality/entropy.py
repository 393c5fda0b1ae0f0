"""How evenly the tokens of a vocabulary are used."""

import math
from collections.abc import Iterable

# Of tokenizers for translation this order told best how well a model will do (Zouhar et al. 2023, arXiv:2306.16842).
RENYI_ORDER = 2.5


def entropy_bits(counts: Iterable[int]) -> float:
    """Shannon entropy of one token in bits, 0 without any."""
    present = [count for count in counts if count]
    total = sum(present)
    return -math.fsum(count / total * math.log2(count / total) for count in present)


def renyi_efficiency(counts: Iterable[int], vocab_size: int) -> float:
    """Rényi entropy of order 2.5 as a share of the most that the vocabulary allows, 0 without any."""
    present = [count for count in counts if count]
    if not present or vocab_size < 2:
        return 0.0
    total = sum(present)
    power = math.fsum((count / total) ** RENYI_ORDER for count in present)
    return math.log2(power) / (1 - RENYI_ORDER) / math.log2(vocab_size)
