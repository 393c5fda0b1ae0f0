"""How a recipe is trained."""

import itertools
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class BatchPoint:
    """From the fraction ``at`` of the training tokens on, an optimiser step takes ``tokens``."""

    at: float
    tokens: int


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Length, batch, loss, optimiser and schedule of a pretraining run.

    ``batch_tokens`` are the tokens of one optimiser step, over all accumulation, until the first point of
    ``batch_schedule`` names another number; ``micro_batch_size`` the sequences of one forward pass on a GPU (a CPU
    takes fewer at a time, the step stays the same).
    """

    tokens: int
    batch_tokens: int
    batch_schedule: tuple[BatchPoint, ...] = ()
    micro_batch_size: int
    # Learning rate: warm-up, then a plateau and a fall of `decay_shape` from the fraction `decay_start` of the steps
    # on (wsd), a fall from the end of warm-up on (cosine, linear) or none (constant). "sqrt" is 1 - sqrt(progress).
    peak_learning_rate: float
    minimum_learning_rate: float = 0.0
    schedule: Literal["wsd", "cosine", "linear", "constant"] = "wsd"
    warmup_steps: int
    decay_start: float = 0.7
    decay_shape: Literal["linear", "cosine", "sqrt"] = "linear"
    # With "muon" the matrices of the layers are updated by Muon, all else by AdamW.
    optimizer: Literal["adamw", "muon"] = "adamw"
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    # Peak of Muon's own learning rate, which follows the same schedule. Usual are 0.02 with the scale "jordan", and
    # AdamW's with "moonlight", whose updates are as large as those of AdamW.
    muon_learning_rate: float = 0.02
    muon_momentum: float = 0.95
    muon_scale: Literal["jordan", "moonlight"] = "jordan"
    # Norms and biases never decay.
    weight_decay: float = 0.01
    decay_embeddings: bool = True
    gradient_clip: float = 1.0
    # Whether a token reads only its own document where several are packed into a sequence.
    document_masks: bool = False
    # Added to the loss: this times the mean of log(Z) squared, Z being the softmax's denominator (PaLM: 1e-4).
    z_loss: float = 0.0
    # How much the loss of an equation's tokens counts, those up to "=" and those behind it; that of all others has 1.
    question_weight: float = 1.0
    answer_weight: float = 1.0
    # How much it counts that the tokens behind an operand predict the digits of the value so far, in place of the
    # token that follows them (training/scratch.py); 0 leaves them to that.
    scratch_weight: float = 0.0
    # In training, the places of a sequence's digits begin anywhere up to so far behind the first (arXiv:2405.17399).
    place_offset: int = 0
    # Averages of the weights, which are then what is evaluated and exported: exponential over steps (usual: 0.999),
    # or the plain mean of the last so many checkpoints. 0 is off.
    ema_decay: float = 0.0
    average_checkpoints: int = 0
    # The run ends when the loss stays above this multiple of its best level for so many steps; patience 0 never ends
    # it.
    divergence_factor: float = 2.0
    divergence_patience: int = 100
    precision: Literal["bf16", "fp32"] = "bf16"
    compile: bool = True
    # `seed` fixes the first weights and the order of the data; 1, 2 ... are other orders with the same weights.
    seed: int = 1
    data_order: int = 0
    # Steps between two lines of progress, two held-out measurements and two checkpoints; 0 chooses from the length.
    log_steps: int = 0
    held_out_steps: int = 0
    checkpoint_steps: int = 0
    # Steps between two quick evaluations and between two sets of samples; 0 makes none. Samples continue
    # `sample_prompts`, or the recipe's prompts where there are none, as the recipe advises.
    evaluate_steps: int = 0
    evaluate_tasks: tuple[str, ...] = ("built-in",)
    sample_steps: int = 0
    sample_prompts: tuple[str, ...] = ()
    # Steps between two looks at each layer's weights, gradients and activations; 0 looks ten times a run.
    statistics_steps: int = 0
    # The newest checkpoints that are kept, and whether the one that was best on held-out text is kept besides.
    keep_checkpoints: int = 2
    keep_best: bool = True

    def __post_init__(self) -> None:
        for name in ("tokens", "batch_tokens", "micro_batch_size", "keep_checkpoints"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in (
            "warmup_steps",
            "log_steps",
            "held_out_steps",
            "checkpoint_steps",
            "evaluate_steps",
            "sample_steps",
            "statistics_steps",
            "weight_decay",
            "z_loss",
            "question_weight",
            "answer_weight",
            "scratch_weight",
            "place_offset",
            "average_checkpoints",
            "divergence_patience",
            "data_order",
        ):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)} must not be negative")
        self._check_optimizer()
        self._check_averages()
        self._check_batches()
        if self.evaluate_steps and not self.evaluate_tasks:
            raise ValueError(
                f"evaluate_steps={self.evaluate_steps} asks for evaluations and evaluate_tasks names no task; "
                'evaluate_tasks=["built-in"] needs no data of others, evaluate_steps=0 makes none'
            )

    @property
    def weighs_equations(self) -> bool:
        return (self.question_weight, self.answer_weight, self.scratch_weight) != (1.0, 1.0, 0.0)

    @property
    def has_plain_loss(self) -> bool:
        """Whether the loss is the mean cross entropy alone, which our kernel of head and loss computes."""
        return not self.z_loss and not self.weighs_equations

    @property
    def order_seed(self) -> int:
        """The seed of the data's order: other orders must never meet those of other seeds."""
        return self.seed + (self.data_order << 32)

    def _check_optimizer(self) -> None:
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
        if not self.muon_learning_rate > 0 or not 0 <= self.muon_momentum < 1:
            raise ValueError(
                f"muon_learning_rate={self.muon_learning_rate} must be positive and "
                f"muon_momentum={self.muon_momentum} lie in [0, 1); 0.02 and 0.95 are usual"
            )
        if not self.divergence_factor > 1:
            raise ValueError(f"divergence_factor={self.divergence_factor} must be above 1; 2 is usual")

    def _check_averages(self) -> None:
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay={self.ema_decay} must lie in [0, 1); 0.999 is usual, 0 is off")
        if self.ema_decay and self.average_checkpoints:
            raise ValueError(
                f"ema_decay={self.ema_decay} and average_checkpoints={self.average_checkpoints} would give two "
                "averages, of which one can be evaluated; set one of them to 0"
            )

    def _check_batches(self) -> None:
        if self.batch_tokens > self.tokens:
            raise ValueError(
                f"batch_tokens={self.batch_tokens} is more than tokens={self.tokens}; "
                f"batch_tokens of at most {self.tokens} would make at least one step"
            )
        places = [0.0, *(point.at for point in self.batch_schedule), 1.0]
        if any(not before < after for before, after in itertools.pairwise(places)):
            raise ValueError(
                f"batch_schedule stands at {', '.join(map(str, places[1:-1]))}; its points must rise and lie between "
                "0 and 1, because batch_tokens holds from 0 on"
            )
        wrong = [point.tokens for point in self.batch_schedule if not 1 <= point.tokens <= self.tokens]
        if wrong:
            raise ValueError(
                f"batch_schedule names steps of {wrong[0]} tokens; between 1 and tokens={self.tokens} would work"
            )
