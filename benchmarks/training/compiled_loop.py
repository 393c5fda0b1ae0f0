"""The best that PyTorch does by itself: model and loss compiled as one, bfloat16, the fused AdamW."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smidgen.training.device import autocast
from training.task import DEVICE, Task, fresh
from training.turn import Turn


def stock(task: Task, turn: Turn) -> None:
    compiled_loop(fresh(task.config), task, turn)


def compiled_loop(model: nn.Module, task: Task, turn: Turn) -> None:
    ids_BU = task.drawn_ids()
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.settings.peak_learning_rate, fused=True)
    dtype = task.dtype

    @torch.compile(dynamic=False)
    def loss_of(ids_BU: Tensor) -> Tensor:
        with autocast(DEVICE, dtype):
            answer = model(ids_BU[:, :-1])
            logits_BTV = answer if isinstance(answer, Tensor) else answer.logits
            return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BU[:, 1:].flatten())

    while True:
        loss = loss_of(ids_BU)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), task.settings.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        turn.over(float(loss.detach()))
