"""The training loop, a page of named phases, exactly resumable.

B sequences of one forward pass    T tokens    V vocabulary    U = T + 1 tokens, inputs and targets
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from smidgen.checkpoints.checkpoint import newest_checkpoint, save_checkpoint
from smidgen.checkpoints.open_model import config_as_dict
from smidgen.data.build import TrainingData
from smidgen.data.order import SampleOrder
from smidgen.design.flops import flops_per_token
from smidgen.errors import BadInput, CheckFailed
from smidgen.evaluation.held_out import held_out_documents, score_held_out
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.recipe import Recipe
from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder
from smidgen.training.device import autocast, compute_dtype, deterministic, peak_flops_per_second, should_compile
from smidgen.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer
from smidgen.training.plan import TrainingPlan, plan_training
from smidgen.training.progress import Progress, TrainingResult
from smidgen.training.schedule import learning_rate, warmup_steps

# A step whose loss or gradient is not finite is skipped; this many in a row end the run.
NON_FINITE_STEPS_ALLOWED = 3
# Saved at least this often, whatever the recipe's interval, so that a kill never costs more.
CHECKPOINT_SECONDS = 300.0
# Held-out text of each source that is scored during training; the final evaluation scores all of it.
HELD_OUT_BYTES_IN_TRAINING = 60_000


def train(
    recipe: Recipe,
    run: RunFolder,
    data: TrainingData,
    config: ModelConfig,
    *,
    device: torch.device,
    compile: bool | None = None,
    max_tokens: int | None = None,
    stop_requested: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> TrainingResult:
    """Pretrain until the recipe's tokens are spent; continue from the newest checkpoint.

    Ends early, with everything saved, when a stop is requested or after ``max_tokens`` of the run's tokens.
    Raises ``BadInput`` when a checkpoint belongs to other data, ``OutOfResources`` on a full disk, and
    ``CheckFailed`` when losses or gradients stay non-finite; saved checkpoints are intact in every case.
    """
    trainer = Trainer(recipe, run, data, config, device=device, compile=compile)
    trainer.resume_or_start()
    limit = min(trainer.plan.tokens, max_tokens or trainer.plan.tokens)
    with deterministic(device):
        while trainer.tokens < limit and not stop_requested():
            loss, gradient_norm = trainer.compute_gradients()
            trainer.update_weights(loss, gradient_norm)
            trainer.log_when_due()
            trainer.measure_held_out_when_due()
            trainer.save_when_due()
            on_progress(trainer.progress())
    trainer.save()
    return trainer.result()


class Trainer:
    """The state of a run in memory; ``train`` above is its life."""

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        data: TrainingData,
        config: ModelConfig,
        *,
        device: torch.device,
        compile: bool | None = None,
    ) -> None:
        self.recipe, self.settings, self.run, self.data = recipe, recipe.training, run, data
        self.device, self.dtype = device, compute_dtype(device, self.settings.precision)
        self.plan: TrainingPlan = plan_training(recipe, device_type=device.type)
        self.decoder = Decoder(config).to(device)
        initialise(self.decoder, self.settings.seed)
        self.optimizer = build_optimizer(self.decoder, self.settings)
        self.order = SampleOrder(
            recipe.data,
            total_samples=self.plan.total_sequences,
            window_counts=data.window_counts,
            seed=self.settings.seed,
        )
        self.notices: list[str] = []
        self.compiled_loss = self._compiled(self.settings.compile if compile is None else compile)
        self.step = 0
        self.seconds_before = 0.0
        self.non_finite_steps = 0
        self.last_bits_per_byte: float | None = None
        self.last_loss: float | None = None
        self.losses_since_log: list[float] = []
        self.last_gradient_norm = 0.0
        self.saved_step = -1
        self._start_clocks()

    # Phases, in the order in which `train` calls them.

    def resume_or_start(self) -> None:
        """Load the newest valid checkpoint, or begin at step 0."""
        checkpoint, notices = newest_checkpoint(self.run.checkpoints)
        self.notices += notices
        if checkpoint is None:
            self._note_shortened_warmup()
        else:
            self._check_contract(checkpoint.state)
            self.decoder.load_state_dict(checkpoint.tensors("model"))
            self.step = self.saved_step = checkpoint.step
            restore_optimizer(
                self.decoder, self.optimizer, checkpoint.tensors("optimizer"), step=checkpoint.state["updates"]
            )
            self.seconds_before = checkpoint.state["seconds"]
            self.non_finite_steps = checkpoint.state["non_finite_steps"]
            self.last_bits_per_byte = checkpoint.state["bits_per_byte"]
            self.last_loss = checkpoint.state["loss"]
            self.losses_since_log = checkpoint.state["losses_since_log"]
        for notice in self.notices:
            self._record_event(notice)
        self._start_clocks()

    def compute_gradients(self) -> tuple[float, float]:
        """Mean loss of the step in nats per token and the gradient's norm before clipping."""
        self.decoder.train()
        total = torch.zeros((), device=self.device)
        for ids_BU in self._micro_batches():
            loss = self.compiled_loss(ids_BU) / self.plan.accumulation
            loss.backward()
            total += loss.detach()
        norm = torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), self.settings.gradient_clip)
        return float(total), float(norm)

    def update_weights(self, loss: float, gradient_norm: float) -> None:
        """One AdamW step; skipped, before any weight is touched, when loss or gradient is not finite."""
        if math.isfinite(loss) and math.isfinite(gradient_norm):
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate
            self.optimizer.step()
            self.non_finite_steps = 0
            self.losses_since_log.append(loss)
            self.last_gradient_norm = gradient_norm
        else:
            self._tolerate_non_finite_step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1

    def log_when_due(self) -> None:
        if not self._is_due(self.plan.log_steps) or not self.losses_since_log:
            return
        self.last_loss = sum(self.losses_since_log) / len(self.losses_since_log)
        self.losses_since_log = []
        measurements.append(
            self.run.measurements,
            measurements.TRAINING,
            step=self.step,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            loss=self.last_loss,
            learning_rate=self.learning_rate_of(self.step - 1),
            gradient_norm=self.last_gradient_norm,
            tokens_per_second=round(self.tokens_per_second, 1),
        )

    def measure_held_out_when_due(self) -> None:
        """Bits per byte on a fixed part of each source's held-out documents."""
        if not self._is_due(self.plan.held_out_steps):
            return
        started = time.monotonic()
        self.decoder.eval()
        by_source = {}
        with autocast(self.device, self.dtype):
            for name in self.recipe.data.sources:
                documents = held_out_documents(self.data, name, most_bytes=HELD_OUT_BYTES_IN_TRAINING)
                by_source[name] = score_held_out(self.decoder, documents).value
        shares = self.recipe.data.mean_shares()
        self.last_bits_per_byte = sum(shares[name] * value for name, value in by_source.items())
        self.other_seconds += time.monotonic() - started
        measurements.append(
            self.run.measurements,
            measurements.HELD_OUT,
            step=self.step,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            bits_per_byte=self.last_bits_per_byte,
            by_source=by_source,
        )

    def save_when_due(self) -> None:
        waited = time.monotonic() - self.saved_at
        if self._is_due(self.plan.checkpoint_steps) or waited >= CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        """Write a checkpoint of the present step, unless there is one or no weight has been updated yet."""
        if self.step == self.saved_step or not self.optimizer.state:
            return
        started = time.monotonic()
        save_checkpoint(
            self.run.checkpoints,
            step=self.step,
            parts={
                "model": self.decoder.state_dict(),
                "optimizer": optimizer_tensors(self.decoder, self.optimizer),
            },
            state=self._state(),
            keep=self.settings.keep_checkpoints,
        )
        self.saved_step, self.saved_at = self.step, time.monotonic()
        self.other_seconds += time.monotonic() - started

    # What the phases need.

    @property
    def tokens(self) -> int:
        return self.step * self.plan.step_tokens

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all sittings."""
        return self.seconds_before + time.monotonic() - self.started_at

    @property
    def tokens_per_second(self) -> float:
        """Speed of the steps of this sitting, without the time of measuring and saving."""
        busy = time.monotonic() - self.started_at - self.other_seconds
        return (self.step - self.first_step) * self.plan.step_tokens / max(busy, 1e-9)

    @property
    def learning_rate(self) -> float:
        return self.learning_rate_of(self.step)

    def learning_rate_of(self, step: int) -> float:
        return learning_rate(step, self.plan.steps, self.settings)

    def progress(self) -> Progress:
        elapsed = time.monotonic() - self.started_at
        done = max(1, self.step - self.first_step)
        return Progress(
            step=self.step,
            steps=self.plan.steps,
            tokens=self.tokens,
            loss=self.losses_since_log[-1] if self.losses_since_log else self.last_loss or math.nan,
            bits_per_byte=self.last_bits_per_byte,
            tokens_per_second=self.tokens_per_second,
            seconds_left=elapsed / done * (self.plan.steps - self.step),
        )

    def result(self) -> TrainingResult:
        speed = self.tokens_per_second
        operations = flops_per_token(self.decoder.config)["training"]
        peak = peak_flops_per_second(self.device, self.dtype)
        return TrainingResult(
            step=self.step,
            tokens=self.tokens,
            loss=self.last_loss,
            bits_per_byte=self.last_bits_per_byte,
            tokens_per_second=round(speed, 1),
            seconds=round(self.seconds, 1),
            fraction_of_peak=round(operations * speed / peak, 4),
            finished=self.step >= self.plan.steps,
            notices=tuple(self.notices),
        )

    def _micro_batches(self) -> Sequence[Tensor]:
        first = self.step * self.plan.step_sequences
        samples = self.order.batch(first, self.plan.step_sequences)
        ids_SU = torch.from_numpy(self.data.batch(samples)).to(self.device)
        return ids_SU.split(self.plan.micro_batch)

    def _compiled(self, wanted: bool) -> Callable[[Tensor], Tensor]:
        compile_it, notice = should_compile(wanted, self.plan.tokens)
        if notice:
            self.notices.append(notice)
        if self.settings.precision == "bf16" and self.dtype != torch.bfloat16:
            self.notices.append("this device has no native bfloat16: training runs in float32")
        return torch.compile(self._loss, fullgraph=True, dynamic=False) if compile_it else self._loss

    def _loss(self, ids_BU: Tensor) -> Tensor:
        with autocast(self.device, self.dtype):
            logits_BTV = self.decoder(ids_BU[:, :-1])
            return F.cross_entropy(logits_BTV.flatten(0, 1).float(), ids_BU[:, 1:].flatten())

    def _is_due(self, interval: int) -> bool:
        return self.step % interval == 0 or self.step == self.plan.steps

    def _tolerate_non_finite_step(self) -> None:
        self.non_finite_steps += 1
        first = self.step * self.plan.step_sequences
        samples = f"samples {first} to {first + self.plan.step_sequences - 1}"
        self._record_event(f"step {self.step}: loss or gradient is not finite ({samples}); the step was skipped")
        if self.non_finite_steps >= NON_FINITE_STEPS_ALLOWED:
            raise CheckFailed(
                f"loss or gradient was not finite in {self.non_finite_steps} steps in a row, "
                f"the last with {samples}; a lower training.peak_learning_rate or a smaller "
                "training.gradient_clip usually helps"
            )

    def _note_shortened_warmup(self) -> None:
        effective = warmup_steps(self.settings, self.plan.steps)
        if effective < self.settings.warmup_steps:
            self.notices.append(
                f"the run has {self.plan.steps} steps, so that warm-up is {effective} steps "
                f"instead of the recipe's {self.settings.warmup_steps}"
            )

    def _contract(self) -> dict[str, Any]:
        """What bit-identical continuation depends on besides the state."""
        return {
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if self.device.type == "cuda" else self.device.type,
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "dtype": str(self.dtype),
            "micro_batch": self.plan.micro_batch,
            "compiled": self.compiled_loss != self._loss,
        }

    def _check_contract(self, state: dict[str, Any]) -> None:
        if state["data_sha256"] != self.data.fingerprint:
            raise BadInput(
                f"{self.run.data} is not the data that this run was trained on; restore it, or start a new run"
            )
        changed = [key for key, value in self._contract().items() if state["contract"].get(key) != value]
        if changed:
            self.notices.append(
                f"continuing with another {', '.join(changed)}: the run goes on but will not be bit-identical"
            )

    def _state(self) -> dict[str, Any]:
        some_state = next(iter(self.optimizer.state.values()))
        return {
            "config": config_as_dict(self.decoder.config),
            "recipe_sha256": self.recipe.fingerprint,
            "data_sha256": self.data.fingerprint,
            "contract": self._contract(),
            "updates": int(some_state["step"]),
            "tokens": self.tokens,
            "seconds": self.seconds,
            "non_finite_steps": self.non_finite_steps,
            "loss": self.last_loss,
            "bits_per_byte": self.last_bits_per_byte,
            "losses_since_log": self.losses_since_log,
        }

    def _record_event(self, message: str) -> None:
        measurements.append(self.run.measurements, measurements.EVENT, step=self.step, message=message)

    def _start_clocks(self) -> None:
        self.started_at = self.saved_at = time.monotonic()
        self.other_seconds = 0.0
        self.first_step = self.step
