"""nanoGPT's manner on a processor."""

import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training.task import Task, fresh
from training.turn import Turn


def train(task: Task, turn: Turn) -> None:
    """As nanoGPT's train.py is told to run on a processor (--device=cpu --compile=False): float32, AdamW not fused.

    Blocks come from a memory-mapped file of 16-bit ids that is opened for each step, and are read one by one. Here
    they are the sequences of the others, in random order.
    """
    settings, rows = task.settings, task.sequences
    model = fresh(task.config)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.peak_learning_rate, betas=(settings.beta1, settings.beta2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.bin"
        task.drawn_ids().numpy().astype(np.uint16).tofile(path)
        while True:
            ids_N = np.memmap(path, dtype=np.uint16, mode="r")
            length = len(ids_N) // rows
            starts = (torch.randperm(rows) * length).tolist()
            blocks = [torch.from_numpy(ids_N[start : start + length].astype(np.int64)) for start in starts]
            ids_BU = torch.stack(blocks)
            logits_BTV = model(ids_BU[:, :-1])
            loss = F.cross_entropy(logits_BTV.flatten(0, 1), ids_BU[:, 1:].flatten())
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            turn.over(loss.item())
