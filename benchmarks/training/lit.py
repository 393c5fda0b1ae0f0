"""litgpt's pretraining, its own loop from `litgpt.pretrain.main` on, with its Llama in bfloat16 and compiled."""

import tempfile
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.loggers.logger import Logger
from litgpt.args import EvalArgs, TrainArgs
from litgpt.config import Config
from litgpt.data import DataModule
from litgpt.pretrain import main as pretrain
from torch import Tensor
from torch.utils.data import DataLoader

from smidgen.model.config import ModelConfig
from training.task import ENDLESS_STEPS, Task, fresh
from training.turn import Turn


def train(task: Task, turn: Turn) -> None:
    config = task.stock_config
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder)
        torch.save(first_weights(config), checkpoint / "lit_model.pth")
        fabric = lightning.Fabric(
            accelerator="cpu",
            devices=1,
            precision="bf16-mixed" if task.dtype == torch.bfloat16 else "32-true",
            loggers=[StepEnd(turn)],
        )
        pretrain(
            fabric=fabric,
            devices=1,
            seed=1,
            initial_checkpoint_dir=checkpoint,
            resume=False,
            config=lit_config(config),
            data=SameRows(task.drawn_ids()),
            out_dir=checkpoint / "out",
            tokenizer_dir=None,
            tokenizer=None,
            train=TrainArgs(
                save_interval=None,
                log_interval=1,
                global_batch_size=task.sequences,
                micro_batch_size=task.sequences,
                lr_warmup_steps=0,
                max_tokens=task.step_tokens * ENDLESS_STEPS,
                max_norm=task.settings.gradient_clip,
                max_seq_length=config.context_length,
                tie_embeddings=config.tie_embeddings,
            ),
            eval=EvalArgs(interval=ENDLESS_STEPS, max_iters=1),
            optimizer={
                "class_path": "torch.optim.AdamW",
                "init_args": {"lr": task.settings.peak_learning_rate},
            },
        )


def lit_config(config: ModelConfig) -> Config:
    return Config(
        name="smidgen",
        block_size=config.context_length,
        n_layer=config.num_layers,
        n_embd=config.hidden_size,
        vocab_size=config.vocab_size,
        padded_vocab_size=config.vocab_size,
        n_head=config.num_heads,
        head_size=config.head_dim,
        n_query_groups=config.num_kv_heads,
        intermediate_size=config.intermediate_size,
        norm_class_name="RMSNorm",
        norm_eps=config.rms_norm_eps,
        mlp_class_name="LLaMAMLP",
        parallel_residual=False,
        bias=False,
        rotary_percentage=1.0,
        rope_base=int(config.rope_theta),
    )


def first_weights(config: ModelConfig) -> dict[str, Tensor]:
    """Those of all variants under litgpt's names: queries, keys and values are one matrix there."""
    weights = fresh(config).state_dict()
    table_VC = weights["embed_tokens.weight"]
    named = {
        "transformer.wte.weight": table_VC,
        "lm_head.weight": weights.get("lm_head.weight", table_VC),
        "transformer.ln_f.weight": weights["norm.weight"],
    }
    for number in range(config.num_layers):
        ours, theirs = f"layers.{number}", f"transformer.h.{number}"
        attention = [weights[f"{ours}.self_attn.{part}_proj.weight"] for part in "qkv"]
        named |= {
            f"{theirs}.attn.qkv.weight": torch.cat(attention),
            f"{theirs}.attn.proj.weight": weights[f"{ours}.self_attn.o_proj.weight"],
            f"{theirs}.norm_1.weight": weights[f"{ours}.input_layernorm.weight"],
            f"{theirs}.norm_2.weight": weights[f"{ours}.post_attention_layernorm.weight"],
            f"{theirs}.mlp.fc_1.weight": weights[f"{ours}.mlp.gate_proj.weight"],
            f"{theirs}.mlp.fc_2.weight": weights[f"{ours}.mlp.up_proj.weight"],
            f"{theirs}.mlp.proj.weight": weights[f"{ours}.mlp.down_proj.weight"],
        }
    return named


class SameRows(DataModule):
    """The same sequences again and again; litgpt reads T + 1 tokens of each."""

    def __init__(self, ids_BU: Tensor) -> None:
        super().__init__()
        self.ids_BU = ids_BU

    def connect(self, *arguments: Any, **options: Any) -> None: ...

    def train_dataloader(self) -> DataLoader:
        rows: Any = list(self.ids_BU)
        return DataLoader(rows, batch_size=len(rows))

    def val_dataloader(self) -> DataLoader:
        return self.train_dataloader()


class StepEnd(Logger):
    """litgpt logs at the end of each step: the place to wait for the next turn."""

    name, version = "turns", 0

    def __init__(self, turn: Turn) -> None:
        self.turn = turn

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.turn.over(float(metrics["loss"]))

    def log_hyperparams(self, *arguments: Any, **options: Any) -> None: ...
