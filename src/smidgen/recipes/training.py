"""How a recipe is trained."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Length, batch, optimiser and schedule of a pretraining run.

    ``batch_tokens`` are the tokens of one optimiser step, over all accumulation; ``micro_batch_size`` the
    sequences of one forward pass on a GPU (a CPU takes fewer at a time, the step stays the same).
    ``decay_start`` is the fraction of steps after which the learning rate falls linearly to its minimum.
    """

    tokens: int
    batch_tokens: int
    micro_batch_size: int
    peak_learning_rate: float
    minimum_learning_rate: float = 0.0
    schedule: Literal["wsd"] = "wsd"
    warmup_steps: int
    decay_start: float = 0.7
    optimizer: Literal["adamw"] = "adamw"
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    precision: Literal["bf16", "fp32"] = "bf16"
    compile: bool = True
    seed: int = 1
    # Steps between two lines of progress, two held-out measurements and two checkpoints; 0 chooses from the length.
    log_steps: int = 0
    held_out_steps: int = 0
    checkpoint_steps: int = 0
    keep_checkpoints: int = 2

    def __post_init__(self) -> None:
        for name in ("tokens", "batch_tokens", "micro_batch_size", "keep_checkpoints"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("warmup_steps", "log_steps", "held_out_steps", "checkpoint_steps", "weight_decay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        if not self.peak_learning_rate > 0 or not 0 <= self.minimum_learning_rate <= self.peak_learning_rate:
            raise ValueError(
                f"peak_learning_rate={self.peak_learning_rate} must be positive and at least "
                f"minimum_learning_rate={self.minimum_learning_rate}; 2.5e-3 is usual at 5M parameters"
            )
        if not 0 < self.decay_start <= 1:
            raise ValueError(f"decay_start={self.decay_start} is a fraction of the steps; 0.7 is usual")
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError(f"beta1={self.beta1} and beta2={self.beta2} must lie in [0, 1); 0.9 and 0.95 are usual")
        if not self.gradient_clip > 0 or not self.epsilon > 0:
            raise ValueError(
                f"gradient_clip={self.gradient_clip} and epsilon={self.epsilon} must be positive; "
                "1.0 and 1e-8 are usual"
            )
        if self.batch_tokens > self.tokens:
            raise ValueError(
                f"batch_tokens={self.batch_tokens} is more than tokens={self.tokens}; "
                f"batch_tokens of at most {self.tokens} would make at least one step"
            )
