"""The most memory that training takes on a processor, before anything is allocated.

For a compiled run in bfloat16 with our kernels; within 3.1% of eight real runs, six of which the two fitted constants
were taken from (`benchmarks/training_memory.py`).
"""

import math

from smidgen.design.parameters import count_parameters
from smidgen.design.shape import Shape, shape_of
from smidgen.model.config import ModelConfig
from smidgen.recipes.training import TrainingSettings

FLOAT32_BYTES = 4
# Tokens of one forward pass on a CPU at most (training/plan.py).
CPU_PASS_TOKENS = 8192
# Python, PyTorch and its compiler, whatever the model (fitted; a run of 24,000 parameters took 499 MB).
PROCESS_BYTES = 490_000_000
# Kept for each channel of the residual stream by a token in a layer: the stream in float32 and what norms make of it
# in bfloat16 (fitted: 9.9).
STREAM_BYTES = 10
# Our kernels of the feed-forward layer and of the head take sizes of whole tiles (training/kernels/loading.py).
KERNEL_CHANNELS = 32


def training_memory(design: ModelConfig | Shape, settings: TrainingSettings) -> dict[str, int]:
    """Bytes by part and ``peak_bytes``, their sum; ``pass_tokens`` are the tokens of a forward pass."""
    shape = shape_of(design)
    weights = count_parameters(shape).total * FLOAT32_BYTES
    optimizer = optimizer_bytes(shape, settings)
    pass_tokens = cpu_pass_tokens(shape, settings)
    parts = {
        "weights_bytes": weights,
        "gradients_bytes": weights,
        "optimizer_bytes": optimizer,
        # The optimiser's file is in memory twice while it is written, the weights while layers are looked at.
        "saving_bytes": 2 * optimizer + weights,
        "activations_bytes": pass_tokens * (activation_bytes_per_token(shape) + _logit_bytes(shape, settings)),
        "process_bytes": PROCESS_BYTES,
    }
    return {**parts, "peak_bytes": sum(parts.values()), "pass_tokens": pass_tokens}


def optimizer_bytes(shape: Shape, settings: TrainingSettings) -> int:
    """AdamW's two moments; Muon has one for the matrices of the layers; an average of the weights comes on top."""
    counts = count_parameters(shape)
    numbers = 2 * counts.total
    if settings.optimizer == "muon":
        numbers -= counts.attention + counts.feed_forward
    if settings.ema_decay:
        numbers += counts.total
    return numbers * FLOAT32_BYTES


def cpu_pass_tokens(shape: Shape, settings: TrainingSettings) -> int:
    """Tokens of a forward pass on a CPU: as many sequences as fit and divide every step (training/plan.py)."""
    context = shape.context_length
    wanted = min(settings.micro_batch_size, max(1, CPU_PASS_TOKENS // context))
    steps = (settings.batch_tokens, *(point.tokens for point in settings.batch_schedule))
    common = math.gcd(*(tokens // context for tokens in steps))
    return context * max(size for size in range(1, wanted + 1) if common % size == 0)


def activation_bytes_per_token(shape: Shape) -> int:
    """What the forward pass keeps for the backward pass, in all layers."""
    gates = 4 * shape.intermediate_size
    if shape.feed_forward_biases or shape.hidden_size % KERNEL_CHANNELS or shape.intermediate_size % KERNEL_CHANNELS:
        # PyTorch keeps the product of gate and up too.
        gates += 2 * shape.intermediate_size
    projected = 2 * (shape.query_channels + 2 * shape.kv_channels)
    # What the heads read in bfloat16, and two numbers of each head in float32.
    read = 2 * shape.query_channels + 8 * shape.num_heads
    return shape.num_layers * (STREAM_BYTES * shape.hidden_size + projected + read + gates)


def _logit_bytes(shape: Shape, settings: TrainingSettings) -> int:
    """Logits of a token in bfloat16, which our kernel of head and loss never writes down."""
    fits = shape.vocab_size % KERNEL_CHANNELS == 0 and shape.hidden_size % KERNEL_CHANNELS == 0
    return 0 if fits and not shape.logit_softcap and settings.has_plain_loss else 2 * shape.vocab_size
