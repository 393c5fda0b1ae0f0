"""The Llama of transformers, in PyTorch's compiled loop and in its own `Trainer`."""

import tempfile
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

from smidgen.design.llama_config import to_llama_config
from training.compiled_loop import compiled_loop
from training.task import ENDLESS_STEPS, Task, fresh
from training.turn import Turn


def llama(task: Task) -> LlamaForCausalLM:
    """Theirs with the first weights of all variants, without the memory of earlier tokens that generation needs."""
    model = LlamaForCausalLM(LlamaConfig(**to_llama_config(task.stock_config), use_cache=False))
    weights = {f"model.{name}": value for name, value in fresh(task.stock_config).state_dict().items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected, unexpected
    assert set(missing) <= {"lm_head.weight"}, missing
    return model.train()


def compiled(task: Task, turn: Turn) -> None:
    compiled_loop(llama(task), task, turn)


def trainer(task: Task, turn: Turn) -> None:
    """At its best: compiled, in bfloat16."""
    real_trainer(task, turn, bf16=task.dtype == torch.bfloat16, torch_compile=True)


def trainer_uncompiled(task: Task, turn: Turn) -> None:
    real_trainer(task, turn, bf16=task.dtype == torch.bfloat16)


def trainer_float32(task: Task, turn: Turn) -> None:
    real_trainer(task, turn)


def real_trainer(task: Task, turn: Turn, **options: Any) -> None:
    """With data in memory, nothing logged, nothing saved; ``options`` are of TrainingArguments."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            use_cpu=True,
            max_steps=ENDLESS_STEPS,
            per_device_train_batch_size=task.sequences,
            train_sampling_strategy="sequential",
            dataloader_pin_memory=False,
            optim="adamw_torch_fused",
            learning_rate=task.settings.peak_learning_rate,
            lr_scheduler_type="constant",
            max_grad_norm=task.settings.gradient_clip,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **options,
        )
        TurnTaking(llama(task), arguments, Rows(task.drawn_ids()), turn).train()


class Rows(Dataset):
    """The same sequences again and again. A model of theirs shifts by itself what it is to predict: so 511 of 512."""

    def __init__(self, ids_BU: Tensor) -> None:
        self.ids_BT = ids_BU[:, :-1].contiguous()

    def __len__(self) -> int:
        return len(self.ids_BT) * ENDLESS_STEPS

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        ids_T = self.ids_BT[number % len(self.ids_BT)]
        return {"input_ids": ids_T, "labels": ids_T}


class TurnTaking(Trainer):
    """Only looks at losses; a callback waits for the turn at the end of each step."""

    def __init__(self, model: nn.Module, arguments: TrainingArguments, rows: Rows, turn: Turn) -> None:
        super().__init__(model=model, args=arguments, train_dataset=rows, callbacks=[StepEnd(self, turn)])
        self.last_loss = torch.zeros(())

    def training_step(self, *arguments: Any, **options: Any) -> Tensor:
        self.last_loss = super().training_step(*arguments, **options)
        return self.last_loss


class StepEnd(TrainerCallback):
    def __init__(self, trainer: TurnTaking, turn: Turn) -> None:
        self.trainer, self.turn = trainer, turn

    def on_step_end(self, *arguments: Any, **options: Any) -> None:
        self.turn.over(float(self.trainer.last_loss))
