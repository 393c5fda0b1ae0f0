"""How text is drawn from a model: the sampling advice of a recipe. No torch here."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """The words and meanings are those of transformers' GenerationConfig; the defaults change nothing."""

    temperature: float = 1.0  # 0 = greedy: the most probable token, and the four filters below are unused
    top_k: int = 0  # 0 = off
    top_p: float = 1.0  # 1 = off
    min_p: float = 0.0  # 0 = off; a share of the most probable token's probability
    repetition_penalty: float = 1.0  # 1 = off; applies to greedy decoding too
    no_repeat_ngram_size: int = 0  # 0 = off; applies to greedy decoding too
    max_new_tokens: int = 128

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not _is_number(value, whole=field.type is int) or not _is_allowed(field.name, value):
                expected, advice = _EXPECTED[field.name]
                raise ValueError(f"{field.name}={value!r} must be {expected}; {advice}")

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0


# The limits on temperature and penalty are assumed: beyond them logits overflow float32 and no draw is defined.
_EXPECTED = {
    "temperature": ("0 (greedy) or positive, 0.001 to 1000", "0.5 to 1.0 is usual"),
    "top_k": ("0 (off) or a positive whole number", "20 to 100 is usual"),
    "top_p": ("between 0 and 1 (off)", "0.9 to 0.95 is usual"),
    "min_p": ("between 0 (off) and 1", "0.02 to 0.1 is usual"),
    "repetition_penalty": ("0.01 to 100, where 1 is off", "1.05 to 1.3 is usual"),
    "no_repeat_ngram_size": ("0 (off) or a positive whole number", "3 or 4 is usual"),
    "max_new_tokens": ("0 or a positive whole number", "128 is the default"),
}


def _is_number(value: object, *, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool)


def _is_allowed(name: str, value: float) -> bool:
    match name:
        case "temperature":
            return value == 0 or 0.001 <= value <= 1000
        case "repetition_penalty":
            return 0.01 <= value <= 100
        case "top_p" | "min_p":
            return 0 <= value <= 1
        case _:
            return value >= 0
