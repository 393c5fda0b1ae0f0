"""The training loop, a page of named phases, exactly resumable. S sequences of a step    U tokens and the next"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from smidgen.checkpoints.checkpoint import Checkpoint, newest_checkpoint, save_checkpoint
from smidgen.checkpoints.open_model import config_as_dict
from smidgen.data.build import TrainingData
from smidgen.data.order import SampleOrder
from smidgen.design.flops import flops_per_token
from smidgen.errors import BadInput
from smidgen.evaluation.held_out import held_out_documents, score_held_out
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.recipe import Recipe
from smidgen.records import measurements
from smidgen.records.run_folder import RunFolder
from smidgen.training import autotune
from smidgen.training.acceleration import accelerate
from smidgen.training.averages import ExponentialAverage
from smidgen.training.contract import broken_clauses, contract
from smidgen.training.device import (
    autocast,
    compute_dtype,
    deterministic,
    peak_flops_per_second,
    should_compile,
)
from smidgen.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer
from smidgen.training.plan import TrainingPlan, micro_batches, plan_training
from smidgen.training.progress import Progress, TrainingResult
from smidgen.training.saving import Keeping, most_bytes
from smidgen.training.schedule import learning_rate, warmup_steps
from smidgen.training.step import Step
from smidgen.training.watch import LossWatch

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
    on_notice: Callable[[str], None] = lambda notice: None,
) -> TrainingResult:
    """Pretrain until the recipe's tokens are spent; continue from the newest checkpoint.

    Ends early, with everything saved, when a stop is requested or after ``max_tokens`` of the run's tokens.
    ``on_notice`` is told at once what people should know; the result holds the same sentences.
    Raises ``BadInput`` when a checkpoint belongs to other data, ``OutOfResources`` on a full disk and where memory
    does not hold one sequence, and ``CheckFailed`` when losses or gradients stay non-finite or the loss diverges;
    saved checkpoints are intact in every case.
    """
    trainer = Trainer(recipe, run, data, config, device=device, compile=compile, on_notice=on_notice)
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
        on_notice: Callable[[str], None] = lambda notice: None,
    ) -> None:
        self.recipe, self.settings, self.run, self.data = recipe, recipe.training, run, data
        self.device, self.dtype = device, compute_dtype(device, self.settings.precision)
        self.notices: list[str] = []
        self.on_notice = on_notice
        self.plan: TrainingPlan = plan_training(recipe, device_type=device.type)
        self.decoder = Decoder(config).to(device)
        initialise(self.decoder, self.settings.seed)
        self.optimizer = build_optimizer(self.decoder, self.settings)
        self.average = ExponentialAverage(self.decoder, self.settings.ema_decay) if self.settings.ema_decay else None
        self.order = SampleOrder(
            recipe.data,
            total_samples=self.plan.total_sequences,
            window_counts=data.window_counts,
            seed=self.settings.seed,
        )
        self.computation = self._computation(self.settings.compile if compile is None else compile)
        self.watch = LossWatch(self.settings, samples_of=self._samples_of, on_event=self._record_event)
        # Reading a loss makes a GPU's host wait, so it is done when somebody wants to know. A CPU is done anyway.
        self.reads_every_step = device.type == "cpu"
        self.keeping = Keeping(self.settings, self.plan)
        self.step = 0
        self.seconds_before = 0.0
        self.last_bits_per_byte: float | None = None
        self.measured_step = -1
        self.last_loss: float | None = None
        self.saved_step = -1
        self._start_clocks()

    # Phases, in the order in which `train` calls them.

    def resume_or_start(self) -> None:
        """Load the newest valid checkpoint, or begin at step 0."""
        checkpoint, notices = newest_checkpoint(self.run.checkpoints)
        if checkpoint is None:
            notices += self._shortened_warmup()
        else:
            self._require_same_data(checkpoint.state)
            notices += broken_clauses(self.computation, checkpoint.state["contract"])
            self._restore(checkpoint)
        for notice in self.notices:
            self._record_event(self.step, notice)
        for notice in notices:
            self._notice(notice)
        self._tell_disk_use()
        self._start_clocks()

    def compute_gradients(self) -> tuple[Tensor, Tensor]:
        """Mean loss of the step in nats per token and the gradient's norm before clipping, on the device."""
        first, count = self.plan.sequences_before(self.step), self.plan.step_sequences(self.step)
        ids_SU = torch.from_numpy(self.data.batch(self.order.batch(first, count)))
        return self.computation.gradients(ids_SU)

    def update_weights(self, loss: Tensor, gradient_norm: Tensor) -> None:
        """One optimiser step; skipped, before any weight is touched, when loss or gradient is not finite."""
        self.optimizer.set_learning_rate(self.learning_rate_of(self.step))
        scale = None if self.computation.loss_scale is None else self.computation.loss_scale.scale
        self.watch.add(self.step, loss, gradient_norm, scale)
        self.computation.update(self.optimizer, loss, gradient_norm)
        if self.average is not None:
            self.average.update(self.step)
        if self.reads_every_step:
            self.watch.read()
        self.step += 1

    def log_when_due(self) -> None:
        if not self._is_due(self.plan.log_steps):
            return
        self.watch.read()
        mean = self.watch.mean_since_log()
        if mean is None:
            return
        self.last_loss = mean
        measurements.append(
            self.run.measurements,
            measurements.TRAINING,
            step=self.step,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            loss=self.last_loss,
            learning_rate=self.learning_rate_of(self.step - 1),
            gradient_norm=self.watch.gradient_norm,
            tokens_per_second=round(self.tokens_per_second, 1),
        )

    def measure_held_out_when_due(self) -> None:
        """Bits per byte on a fixed part of each source's held-out documents; with averaged weights if there are."""
        if not self._is_due(self.plan.held_out_steps):
            return
        started = time.monotonic()
        self.decoder.eval()
        by_source = {}
        averaged = nullcontext() if self.average is None else self.average.in_place()
        with averaged, autocast(self.device, self.dtype):
            for name in self.recipe.data.sources:
                documents = held_out_documents(self.data, name, most_bytes=HELD_OUT_BYTES_IN_TRAINING)
                by_source[name] = score_held_out(self.decoder, documents).value
        shares = self.recipe.data.mean_shares()
        self.last_bits_per_byte = sum(shares[name] * value for name, value in by_source.items())
        self.measured_step = self.step
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
        if self.step == self.saved_step:
            return
        self.watch.read()
        if not self.optimizer.updates:
            return
        started = time.monotonic()
        measured = self.last_bits_per_byte if self.measured_step == self.step else None
        self.keeping.note(self.step, measured)
        save_checkpoint(
            self.run.checkpoints,
            step=self.step,
            parts=self._parts(),
            state=self._state(),
            keep=self.settings.keep_checkpoints,
            also_keep=self.keeping.steps(self.step),
        )
        self.saved_step, self.saved_at = self.step, time.monotonic()
        self.other_seconds += time.monotonic() - started

    # What the phases need.

    @property
    def tokens(self) -> int:
        return self.plan.tokens_before(self.step)

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all sittings."""
        return self.seconds_before + time.monotonic() - self.started_at

    @property
    def tokens_per_second(self) -> float:
        """Speed of the steps of this sitting, without the time of measuring and saving."""
        busy = time.monotonic() - self.started_at - self.other_seconds
        return (self.tokens - self.plan.tokens_before(self.first_step)) / max(busy, 1e-9)

    def learning_rate_of(self, step: int) -> float:
        return learning_rate(step, self.plan.steps, self.settings)

    def progress(self) -> Progress:
        elapsed = time.monotonic() - self.started_at
        done = max(1, self.tokens - self.plan.tokens_before(self.first_step))
        return Progress(
            step=self.step,
            steps=self.plan.steps,
            tokens=self.tokens,
            loss=self.watch.since_log[-1] if self.watch.since_log else self.last_loss or math.nan,
            bits_per_byte=self.last_bits_per_byte,
            tokens_per_second=self.tokens_per_second,
            seconds_left=elapsed / done * (self.plan.tokens - self.tokens),
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

    def _computation(self, wanted: bool) -> Step:
        """How a step is computed here: as planned on a CPU, as measured on a GPU."""
        compile_it, notice = should_compile(wanted, self.plan.tokens)
        self.notices += [notice] if notice else []
        if self.settings.precision == "bf16" and self.dtype != torch.bfloat16:
            instead = "float32" if self.dtype == torch.float32 else "float16 with a scaled loss"
            self.notices.append(f"this device has no native bfloat16: training runs in {instead}")
        sizes = [size for size in micro_batches(self.plan.phases) if size <= self.plan.micro_batch]
        choice = autotune.Choice(micro_batch=self.plan.micro_batch, compile_mode="default" if compile_it else None)
        way: dict[str, Any] = {"device": self.device, "dtype": self.dtype}
        if autotune.is_worth_it(self.device):
            cache = autotune.default_cache()
            measured = autotune.autotuned(
                self.decoder, self.settings, **way, sizes=sizes, compiled=compile_it, cache=cache
            )
            self.notices += [f"fastest on this GPU, as measured: {measured}"] if measured else []
            choice = measured or choice
        self.notices += accelerate(self.decoder, self.device, self.dtype)
        for notice in self.notices:
            self.on_notice(notice)
        return Step(
            self.decoder,
            self.settings,
            **way,
            micro_batch=choice.micro_batch,
            compile_mode=choice.compile_mode,
            smaller=[size for size in sizes if size < choice.micro_batch],
            on_notice=self._notice,
        )

    def _is_due(self, interval: int) -> bool:
        return self.step % interval == 0 or self.step == self.plan.steps

    def _samples_of(self, step: int) -> str:
        first = self.plan.sequences_before(step)
        return f"samples {first} to {first + self.plan.step_sequences(step) - 1}"

    def _shortened_warmup(self) -> list[str]:
        effective = warmup_steps(self.settings, self.plan.steps)
        if effective >= self.settings.warmup_steps:
            return []
        return [
            f"the run has {self.plan.steps} steps, so that warm-up is {effective} steps "
            f"instead of the recipe's {self.settings.warmup_steps}"
        ]

    def _require_same_data(self, state: dict[str, Any]) -> None:
        if state["data_sha256"] != self.data.fingerprint:
            raise BadInput(
                f"{self.run.data} is not the data that this run was trained on; restore it, or start a new run"
            )

    def _parts(self) -> dict[str, dict[str, Tensor]]:
        """The tensors of a checkpoint. Its "average" is what is evaluated; training goes on from its "model"."""
        weights = self.decoder.state_dict()
        parts = {"model": weights, "optimizer": optimizer_tensors(self.decoder, self.optimizer)}
        if self.average is not None:
            parts["average"] = self.average.tensors
        elif self.settings.average_checkpoints:
            parts["average"] = self.keeping.mean(self.run.checkpoints, self.step, weights)
        return parts

    def _state(self) -> dict[str, Any]:
        scale = self.computation.loss_scale
        return {
            "config": config_as_dict(self.decoder.config),
            "recipe_sha256": self.recipe.fingerprint,
            "data_sha256": self.data.fingerprint,
            "contract": contract(self.computation),
            "updates": self.optimizer.updates,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "loss": self.last_loss,
            "bits_per_byte": self.last_bits_per_byte,
            "loss_scale": None if scale is None else scale.state(),
            **self.keeping.state(),
            **self.watch.state(),
        }

    def _restore(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        self.decoder.load_state_dict(checkpoint.tensors("model"))
        self.step = self.saved_step = checkpoint.step
        restore_optimizer(self.decoder, self.optimizer, checkpoint.tensors("optimizer"), step=state["updates"])
        if self.average is not None:
            self.average.restore(checkpoint.tensors("average"))
        self.watch.restore(state)
        self.keeping.restore(state)
        if self.computation.loss_scale is not None and state.get("loss_scale"):
            self.computation.loss_scale.restore(state["loss_scale"])
        self.seconds_before = state["seconds"]
        self.last_bits_per_byte = state["bits_per_byte"]
        self.last_loss = state["loss"]

    def _tell_disk_use(self) -> None:
        megabytes = most_bytes(self.decoder, self.optimizer, self.settings) / 1e6
        notice = f"checkpoints of this run take at most {megabytes:,.0f} MB of disk"
        self.notices.append(notice)
        self.on_notice(notice)

    def _notice(self, message: str) -> None:
        """Tell people at once, and keep it for the result and the report."""
        self.notices.append(message)
        self.on_notice(message)
        self._record_event(self.step, message)

    def _record_event(self, step: int, message: str) -> None:
        measurements.append(self.run.measurements, measurements.EVENT, step=step, message=message)

    def _start_clocks(self) -> None:
        self.started_at = self.saved_at = time.monotonic()
        self.other_seconds = 0.0
        self.first_step = self.step
