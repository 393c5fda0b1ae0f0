"""Our step, as a run computes it, and without each of its kernels."""

import torch
from rich.console import Console
from torch import nn

from smidgen.model.attention import Attention
from smidgen.model.decoder import Decoder
from smidgen.model.feed_forward import FeedForward
from smidgen.model.norm import RMSNorm
from smidgen.training.acceleration import OWN_CROSS_ENTROPY, accelerate
from smidgen.training.device import deterministic
from smidgen.training.step import Step
from training.task import DEVICE, END_OF_TEXT_ID, Task, fresh
from training.turn import Turn


def whole(task: Task, turn: Turn) -> None:
    our_loop(accelerated(task), task, turn)


def documents_apart(task: Task, turn: Turn) -> None:
    our_loop(accelerated(task), task, turn, end_of_text_id=END_OF_TEXT_ID)


def without_attention(task: Task, turn: Turn) -> None:
    our_loop(put_back(accelerated(task), Attention, "read"), task, turn)


def without_feed_forward(task: Task, turn: Turn) -> None:
    our_loop(put_back(accelerated(task), FeedForward, "forward"), task, turn)


def without_head(task: Task, turn: Turn) -> None:
    our_loop(put_back(accelerated(task), Decoder, OWN_CROSS_ENTROPY), task, turn)


def without_norms(task: Task, turn: Turn) -> None:
    our_loop(put_back(accelerated(task), RMSNorm, "forward"), task, turn)


def accelerated(task: Task) -> Decoder:
    decoder = fresh(task.config)
    for notice in accelerate(decoder, DEVICE, task.dtype):
        Console(stderr=True).print(notice)
    return decoder


def put_back(decoder: Decoder, kind: type[nn.Module], method: str) -> Decoder:
    """Leave to PyTorch what one of our kernels took the place of."""
    for module in decoder.modules():
        if isinstance(module, kind):
            vars(module).pop(method, None)
    return decoder


def our_loop(decoder: Decoder, task: Task, turn: Turn, *, end_of_text_id: int | None = None) -> None:
    """As in a run, with the optimiser of the others."""
    ids_BU = task.drawn_ids()
    computation = Step(
        decoder,
        task.settings,
        device=DEVICE,
        dtype=task.dtype,
        micro_batch=task.sequences,
        compile_mode="default",
        end_of_text_id=end_of_text_id,
    )
    optimizer = torch.optim.AdamW(decoder.parameters(), lr=task.settings.peak_learning_rate, fused=True)
    with deterministic(DEVICE):
        while True:
            loss, _ = computation.gradients(ids_BU)
            optimizer.step()
            optimizer.zero_grad()
            turn.over(float(loss))
