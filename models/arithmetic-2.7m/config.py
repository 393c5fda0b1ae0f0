"""The settings that define a decoder, without torch, so that planning and recipes share them."""

import math
from dataclasses import dataclass

# Place 0 is "not a digit", 1..64 the position inside the digit run, 65 everything beyond (Atom-2.7m card: 66).
PLACE_VOCAB_SIZE = 66
# The roles are listed in `digit_features.Role` (Atom-2.7m card: 12).
ROLE_VOCAB_SIZE = 12


@dataclass(frozen=True, kw_only=True)
class DigitTokenIds:
    """Token ids that the digit features are derived from; a trained tokenizer fills them in.

    ``digits`` holds the ids of 0 to 9 in order, ``operators`` those of + - * / in order. ``spaces`` are tokens
    of blanks that do not end a line; ``line_starts`` are tokens after which a new equation may begin (line
    breaks, beginning and end of a text, padding). ``closing`` are 0 to 9 where they are written last in a number;
    empty where that makes no difference.
    """

    digits: tuple[int, ...]
    operators: tuple[int, ...]
    open_parenthesis: int
    close_parenthesis: int
    equals: int
    spaces: tuple[int, ...] = ()
    line_starts: tuple[int, ...] = ()
    closing: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.digits) != 10 or len(self.operators) != 4:
            raise ValueError(
                f"digit features need the ids of 10 digits and 4 operators, "
                f"given {len(self.digits)} and {len(self.operators)}"
            )
        if len(self.closing) not in (0, 10):
            raise ValueError(f"digit features need the ids of 10 closing digits or none, given {len(self.closing)}")
        ids = self.all_ids
        shared = sorted({token_id for token_id in ids if ids.count(token_id) > 1})
        if shared:
            raise ValueError(f"digit features need one meaning for each token id, but {shared} have several")

    @property
    def all_ids(self) -> tuple[int, ...]:
        """Every id that has a meaning; blanks and line starts may be listed twice, as when end = beginning."""
        symbols = (*self.digits, *self.operators, self.open_parenthesis, self.close_parenthesis, self.equals)
        return (*symbols, *self.closing, *sorted(set(self.spaces)), *sorted(set(self.line_starts)))


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Shape and options of a pre-norm decoder with RMSNorm, SwiGLU and rotary positions.

    Names follow the cards and ``transformers``. ``xsa`` is exclusive self attention (arXiv:2603.09078): each
    head's output loses its projection on the token's own value. ``place_vocab_size`` and ``role_vocab_size``
    are the sizes of the two digit feature tables, 0 for none; ``digit_token_ids`` is known once the tokenizer is.
    ``qk_norm`` scales queries and keys to unit root mean square and by learned weights, head by head and before the
    rotation, as Qwen 3 has it (arXiv:2505.09388; first arXiv:2010.04245): their scores stay small at large steps.
    ``logit_softcap`` keeps logits between minus and plus itself (Gemma 2, arXiv:2408.00118, section 2), 0 for none.

    Raises ``ValueError`` for a shape that cannot be built, with the nearest one that can.
    """

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    intermediate_size: int
    context_length: int
    # 0 stands for hidden_size / num_heads.
    head_dim: int = 0
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-5
    tie_embeddings: bool = True
    attention_bias: bool = False
    mlp_bias: bool = False
    xsa: bool = False
    qk_norm: bool = False
    place_vocab_size: int = 0
    role_vocab_size: int = 0
    digit_token_ids: DigitTokenIds | None = None
    logit_softcap: float = 0.0
    # Standard deviation of the initial weights (GPT-2; output projections are scaled down by depth).
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_heads()
        if not self.head_dim:
            object.__setattr__(self, "head_dim", self.hidden_size // self.num_heads)
        self._check_head_dim()
        self._check_digit_features()

    @property
    def has_digit_features(self) -> bool:
        return self.place_vocab_size > 0

    @property
    def group_size(self) -> int:
        """Query heads that share one key-value head."""
        return self.num_heads // self.num_kv_heads

    def _check_sizes(self) -> None:
        for name in (
            "vocab_size",
            "hidden_size",
            "num_layers",
            "num_heads",
            "num_kv_heads",
            "intermediate_size",
            "context_length",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("rope_theta", "rms_norm_eps", "initializer_range"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)} must be a positive number")
        if not 0 <= self.logit_softcap < math.inf:
            raise ValueError(f"logit_softcap={self.logit_softcap} must be positive, or 0 for none; Gemma 2 has 30")

    def _check_heads(self) -> None:
        if self.hidden_size % self.num_heads:
            # Also where head_dim is stated: LlamaConfig of transformers refuses such a shape.
            below = self.hidden_size // self.num_heads * self.num_heads
            multiples = [n for n in (below, below + self.num_heads) if n]
            raise ValueError(
                f"hidden_size={self.hidden_size} is not a multiple of num_heads={self.num_heads}; "
                f"hidden_size of {' or '.join(map(str, multiples))} would work"
            )
        if self.num_heads % self.num_kv_heads:
            divisors = [n for n in range(1, self.num_heads + 1) if self.num_heads % n == 0]
            raise ValueError(
                f"num_heads={self.num_heads} must be a multiple of num_kv_heads={self.num_kv_heads} so that each "
                f"group has the same size; num_kv_heads of {', '.join(map(str, divisors))} would work"
            )

    def _check_head_dim(self) -> None:
        if self.head_dim < 2 or self.head_dim % 2:
            raise ValueError(
                f"head_dim={self.head_dim} must be even and positive, because rotary positions turn pairs of "
                f"channels; {max(2, self.head_dim - 1)} or {max(4, self.head_dim + 1)} would work"
            )

    def _check_digit_features(self) -> None:
        sizes = (self.place_vocab_size, self.role_vocab_size)
        if sizes not in {(0, 0), (PLACE_VOCAB_SIZE, ROLE_VOCAB_SIZE)}:
            raise ValueError(
                f"place_vocab_size={sizes[0]} and role_vocab_size={sizes[1]} must be {PLACE_VOCAB_SIZE} and "
                f"{ROLE_VOCAB_SIZE} (digit features on) or both 0 (off)"
            )
        ids = self.digit_token_ids.all_ids if self.digit_token_ids else ()
        outside = sorted(token_id for token_id in ids if not 0 <= token_id < self.vocab_size)
        if outside:
            raise ValueError(f"digit_token_ids {outside} are not in the vocabulary of {self.vocab_size}")
