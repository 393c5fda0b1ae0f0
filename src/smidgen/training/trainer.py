"""The training loop, a page of named phases, exactly resumable. S sequences of a step    U tokens and the next"""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smidgen.checkpoints.checkpoint import Checkpoint, newest_checkpoint, save_checkpoint
from smidgen.checkpoints.open_model import config_as_dict
from smidgen.data.order import SampleOrder
from smidgen.data.training_data import TrainingData
from smidgen.design.flops import flops_per_token
from smidgen.errors import BadInput
from smidgen.evaluation.held_out import held_out_documents, score_held_out
from smidgen.model.config import ModelConfig
from smidgen.model.decoder import Decoder
from smidgen.model.digit_features import token_classes
from smidgen.model.initialisation import initialise
from smidgen.recipes.recipe import Recipe
from smidgen.records import measurements
from smidgen.records.environment import peak_memory_bytes
from smidgen.records.run_folder import RunFolder
from smidgen.training.averages import ExponentialAverage
from smidgen.training.clock import Clock
from smidgen.training.computation import choose_computation
from smidgen.training.contract import broken_clauses, contract
from smidgen.training.device import autocast, compute_dtype, deterministic, peak_flops_per_second
from smidgen.training.layer_statistics import LayerLook
from smidgen.training.optimizer import build_optimizer, optimizer_tensors, restore_optimizer
from smidgen.training.place_offsets import place_offsets
from smidgen.training.plan import TrainingPlan, plan_training
from smidgen.training.progress import Progress, TrainingResult
from smidgen.training.ranks import Ranks
from smidgen.training.saving import Keeping, most_bytes
from smidgen.training.schedule import learning_rate, warmup_steps
from smidgen.training.scratch import scratch_targets
from smidgen.training.trial import Trial
from smidgen.training.watch import LossWatch

# Saved at least this often, whatever the recipe's interval, so that a kill never costs more.
CHECKPOINT_SECONDS = 300.0
# Held-out text of each source that is scored during training; the final evaluation scores all of it.
HELD_OUT_BYTES_IN_TRAINING = 60_000
# Sequences whose activations are looked at: a thousand tokens or two (assumed to be enough). Sixteen took as long as
# a step where training has kernels of its own.
LOOKED_AT_SEQUENCES = 4


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
    on_measurement: Callable[[dict[str, Any]], None] = lambda record: None,
    eval_data: Path | None = None,
    ranks: Ranks | None = None,
) -> TrainingResult:
    """Pretrain until the recipe's tokens are spent; continue from the newest checkpoint.

    Ends early, with everything saved, when a stop is requested or after ``max_tokens`` of the run's tokens.
    ``on_notice`` is told at once what people should know; the result holds the same sentences. ``on_measurement``
    gets each record once it is written. ``eval_data`` is the folder of benchmark files for quick evaluations, without
    which they come from the Hugging Face hub. All ``ranks`` call this alike, and only the first writes; a stop that
    one of them is asked for is everyone's.
    Raises ``BadInput`` when a checkpoint belongs to other data, ``OutOfResources`` on a full disk and where memory
    does not hold one sequence, and ``CheckFailed`` when losses or gradients stay non-finite or the loss diverges;
    saved checkpoints are intact in every case.
    """
    trainer = Trainer(
        recipe,
        run,
        data,
        config,
        device=device,
        compile=compile,
        on_notice=on_notice,
        on_measurement=on_measurement,
        eval_data=eval_data,
        ranks=ranks,
    )
    trainer.resume_or_start()
    limit = min(trainer.plan.tokens, max_tokens or trainer.plan.tokens)
    with deterministic(device):
        while trainer.goes_on(limit, stop_requested):
            loss, gradient_norm = trainer.compute_gradients()
            trainer.take_step(loss, gradient_norm)
            on_progress(trainer.progress())
    trainer.save()
    return trainer.result()


class Trainer:
    """The state of a run in memory; ``train`` above is its life.

    Where it ``is_stacked``, its gradients are not computed here but with those of other models (``stack.py``).
    """

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
        on_measurement: Callable[[dict[str, Any]], None] = lambda record: None,
        eval_data: Path | None = None,
        ranks: Ranks | None = None,
        is_stacked: bool = False,
    ) -> None:
        self.ranks = ranks or Ranks()
        self.recipe, self.settings, self.run, self.data = recipe, recipe.training, run, data
        self.device, self.dtype = device, compute_dtype(device, self.settings.precision)
        self.on_notice, self.on_measurement = on_notice, on_measurement
        self.plan: TrainingPlan = plan_training(
            recipe, device_type=device.type, rank=self.ranks.rank, ranks=self.ranks.count
        )
        self.decoder = Decoder(config).to(device)
        initialise(self.decoder, self.settings.seed)
        # On the host, where batches are read.
        self._class_V = token_classes(config.digit_token_ids, config.vocab_size)
        self.optimizer = build_optimizer(self.decoder, self.settings)
        self.average = ExponentialAverage(self.decoder, self.settings.ema_decay) if self.settings.ema_decay else None
        self.order = SampleOrder(
            recipe.data,
            total_samples=self.plan.total_sequences,
            window_counts=data.window_counts,
            seed=self.settings.order_seed,
        )
        self.computation, self.notices = choose_computation(
            self.decoder,
            self.settings,
            self.plan,
            device=device,
            dtype=self.dtype,
            compile=self.settings.compile if compile is None else compile,
            end_of_text_id=data.index["end_of_text_id"] if self.settings.document_masks else None,
            ranks=self.ranks,
            is_stacked=is_stacked,
            on_notice=self.notice,
        )
        for notice in self.notices:
            on_notice(notice)
        self.watch = LossWatch(self.settings, samples_of=self._samples_of, on_event=self._record_event)
        # Reading a loss makes a GPU's host wait, so it is done when somebody wants to know. A CPU is done anyway.
        self.reads_every_step = device.type == "cpu"
        self.keeping = Keeping(self.settings, self.plan)
        self.look: LayerLook | None = None
        is_tried = bool(self.settings.evaluate_steps or self.settings.sample_steps) and self.ranks.is_first
        self.trial = Trial(recipe, run, self.decoder, eval_data=eval_data) if is_tried else None
        peak = peak_flops_per_second(device, self.dtype) * self.ranks.count
        self.peak_tokens_per_second = peak / flops_per_token(config)["training"]
        self.memory: dict[str, int] = {}
        self.step = 0
        self.last_bits_per_byte: float | None = None
        self.measured_step = -1
        self.last_loss: float | None = None
        self.saved_step = -1
        self.save_is_overdue = False
        self._start_clock()

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
            self.notice(notice)
        self._require_same_weights()
        self._tell_disk_use()
        self._start_clock(0.0 if checkpoint is None else checkpoint.state["seconds"])

    def goes_on(self, limit: int, stop_requested: Callable[[], bool]) -> bool:
        """Whether there is another step; clocks and signals differ, so that the ranks agree on what these ask for."""
        overdue = time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS
        stop, save = self.ranks.most(self.tokens >= limit or stop_requested(), overdue)
        self.save_is_overdue = bool(save)
        return not stop

    def compute_gradients(self) -> tuple[Tensor, Tensor]:
        """Mean loss of the step in nats per token and the gradient's norm before clipping, on the device."""
        sequences, ids_SU = self.plan.step_sequences(self.step), self.next_ids()
        return self.computation.gradients(
            ids_SU, sequences, place_offset_S=self.next_place_offsets(), scratch_ST=self.scratch(ids_SU)
        )

    def next_ids(self) -> Tensor:
        """What this rank reads in the next step, (S, U)."""
        share = self.plan.share(self.step)
        return torch.from_numpy(self.data.batch(self.order.batch(share.start, len(share))))

    def next_place_offsets(self) -> Tensor | None:
        """How far the places of digits are shifted in each sequence of the next step, (S,); None for not at all."""
        largest = self.settings.place_offset
        if not largest:
            return None
        return place_offsets(self.plan.share(self.step), largest=largest, seed=self.settings.order_seed)

    def scratch(self, ids_SU: Tensor) -> Tensor | None:
        """What the tokens behind operands are to predict instead of the next, (S, T); None where nothing is asked."""
        known = self.decoder.config.digit_token_ids
        if not self.settings.scratch_weight or known is None:
            return None
        least_first = self.recipe.tokenizer.digits == "reversed"
        return scratch_targets(ids_SU, self._class_V, known, least_first=least_first)

    def take_step(self, loss: Tensor, gradient_norm: Tensor) -> None:
        """All that follows once the gradients are there."""
        self.update_weights(loss, gradient_norm)
        self.log_when_due()
        self.measure_held_out_when_due()
        self.look_at_layers_when_due()
        self.try_out_when_due()
        self.save_when_due()

    def update_weights(self, loss: Tensor, gradient_norm: Tensor) -> None:
        """One optimiser step; skipped, before any weight is touched, when loss or gradient is not finite."""
        self.optimizer.set_learning_rate(self.learning_rate_of(self.step))
        scale = None if self.computation.loss_scale is None else self.computation.loss_scale.scale
        self.watch.add(self.step, loss, gradient_norm, scale)
        if self._is_due(self.plan.statistics_steps, self.step + 1) and self.ranks.is_first:
            self.look = LayerLook(self.decoder, gradient_norm, self.settings.gradient_clip)
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
        self.memory = self._peak_memory()
        speed = self.clock.tokens_per_second(self.tokens)
        self._record_now(
            measurements.TRAINING,
            loss=self.last_loss,
            learning_rate=self.learning_rate_of(self.step - 1),
            gradient_norm=self.watch.gradient_norm,
            tokens_per_second=round(speed, 1),
            fraction_of_peak=self._fraction_of_peak(speed),
            **self.memory,
        )

    def measure_held_out_when_due(self) -> None:
        """Bits per byte on a fixed part of each source's held-out documents; with averaged weights if there are."""
        if not self._is_due(self.plan.held_out_steps):
            return
        self.decoder.eval()
        names = list(self.recipe.data.sources)
        values = torch.zeros(len(names), dtype=torch.float64)
        with self.clock.aside(), self._averaged(), autocast(self.device, self.dtype):
            # Each rank scores some of the sources.
            for number in range(self.ranks.rank, len(names), self.ranks.count):
                documents = held_out_documents(self.data, names[number], most_bytes=HELD_OUT_BYTES_IN_TRAINING)
                values[number] = score_held_out(self.decoder, documents).value
            self.ranks.add_up([values])
        by_source = dict(zip(names, values.tolist(), strict=True))
        shares = self.recipe.data.mean_shares()
        self.last_bits_per_byte = sum(shares[name] * value for name, value in by_source.items())
        self.measured_step = self.step
        self._record_now(measurements.HELD_OUT, bits_per_byte=self.last_bits_per_byte, by_source=by_source)

    def look_at_layers_when_due(self) -> None:
        """Statistics of each layer around the update of this step, if it was looked at."""
        if self.look is None:
            return
        with self.clock.aside(), autocast(self.device, self.dtype):
            share = self.plan.share(self.step - 1)[:LOOKED_AT_SEQUENCES]
            ids_BU = torch.from_numpy(self.data.batch(self.order.batch(share.start, len(share))))
            parts = self.look.parts(ids_BU[:, :-1].to(self.device))
        self.look = None
        self._record_now(measurements.STATISTICS, parts=parts)

    def try_out_when_due(self) -> None:
        """Quick evaluations and samples where the recipe wants them; with averaged weights if there are."""
        if self.trial is None:
            return
        trials: list[tuple[int, str, Callable[[], dict[str, Any]]]] = [
            (self.settings.evaluate_steps, measurements.EVALUATION, self.trial.scores),
            (self.settings.sample_steps, measurements.SAMPLES, partial(self.trial.samples, self.step)),
        ]
        for interval, kind, tried in trials:
            if interval and self._is_due(interval):
                with self.clock.aside(), self._averaged():
                    values = tried()
                self._record_now(kind, **values)

    def save_when_due(self) -> None:
        if self._is_due(self.plan.checkpoint_steps) or self.save_is_overdue:
            self.save()

    def save(self) -> None:
        """Write a checkpoint of the present step, unless there is one or no weight has been updated yet."""
        if self.step == self.saved_step:
            return
        self.watch.read()
        if not self.optimizer.updates:
            return
        with self.clock.aside():
            self._require_same_weights()
            measured = self.last_bits_per_byte if self.measured_step == self.step else None
            self.keeping.note(self.step, measured)
            if self.ranks.is_first:
                save_checkpoint(
                    self.run.checkpoints,
                    step=self.step,
                    parts=self._parts(),
                    state=self._state(),
                    keep=self.settings.keep_checkpoints,
                    also_keep=self.keeping.steps(self.step),
                )
        self.saved_step, self.saved_at = self.step, time.monotonic()

    # What the phases need.

    @property
    def tokens(self) -> int:
        return self.plan.tokens_before(self.step)

    def learning_rate_of(self, step: int) -> float:
        return learning_rate(step, self.plan.steps, self.settings)

    def progress(self) -> Progress:
        speed = self.clock.tokens_per_second(self.tokens)
        return Progress(
            step=self.step,
            steps=self.plan.steps,
            tokens=self.tokens,
            loss=self.watch.since_log[-1] if self.watch.since_log else self.last_loss or math.nan,
            bits_per_byte=self.last_bits_per_byte,
            tokens_per_second=speed,
            seconds_left=self.clock.seconds_left(self.tokens, of=self.plan.tokens),
            fraction_of_peak=self._fraction_of_peak(speed),
            **self.memory,
        )

    def result(self) -> TrainingResult:
        speed = self.clock.tokens_per_second(self.tokens)
        return TrainingResult(
            step=self.step,
            tokens=self.tokens,
            loss=self.last_loss,
            bits_per_byte=self.last_bits_per_byte,
            tokens_per_second=round(speed, 1),
            seconds=round(self.clock.seconds, 1),
            fraction_of_peak=self._fraction_of_peak(speed),
            finished=self.step >= self.plan.steps,
            notices=tuple(self.notices),
        )

    def _is_due(self, interval: int, step: int | None = None) -> bool:
        step = self.step if step is None else step
        return step % interval == 0 or step == self.plan.steps

    def _averaged(self) -> AbstractContextManager[None]:
        """The weights that are measured: averaged ones inside the block, if there are."""
        return nullcontext() if self.average is None else self.average.in_place()

    def _fraction_of_peak(self, tokens_per_second: float) -> float:
        return round(tokens_per_second / self.peak_tokens_per_second, 4)

    def _peak_memory(self) -> dict[str, int]:
        """Most bytes of this process and, on a GPU, of its tensors there, as far as they are known."""
        known = {"peak_memory_bytes": peak_memory_bytes()}
        if self.device.type == "cuda":
            known["gpu_memory_bytes"] = torch.cuda.max_memory_allocated(self.device)
        return {name: value for name, value in known.items() if value is not None}

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
            "seconds": self.clock.seconds,
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
        self.last_bits_per_byte = state["bits_per_byte"]
        self.last_loss = state["loss"]

    def _tell_disk_use(self) -> None:
        megabytes = most_bytes(self.decoder, self.optimizer, self.settings) / 1e6
        notice = f"checkpoints of this run take at most {megabytes:,.0f} MB of disk"
        self.notices.append(notice)
        self.on_notice(notice)

    def notice(self, message: str) -> None:
        """Tell people at once, and keep it for the result and the report."""
        self.notices.append(message)
        self.on_notice(message)
        self._record_event(self.step, message)

    def _record_event(self, step: int, message: str) -> None:
        self._record(measurements.EVENT, step=step, message=message)

    def _record_now(self, kind: str, **values: Any) -> None:
        self._record(kind, step=self.step, tokens=self.tokens, seconds=round(self.clock.seconds, 3), **values)

    def _record(self, kind: str, **values: Any) -> None:
        if self.ranks.is_first:
            measurements.append(self.run.measurements, kind, **values)
            self.on_measurement({"kind": kind, **values})

    def _require_same_weights(self) -> None:
        run = [self.recipe.fingerprint, self.data.fingerprint, str(self.step)]
        self.ranks.require_same(f"recipe, data, step or weights at step {self.step}", run, self.decoder.parameters())

    def _start_clock(self, seconds_before: float = 0.0) -> None:
        self.clock = Clock(seconds_before=seconds_before, tokens_before=self.tokens)
        self.saved_at = time.monotonic()
