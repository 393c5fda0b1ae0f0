"""The stages of a model's life. Each finds what is done already and does the rest.

design -> tokenizer -> data -> train -> evaluate -> export -> samples -> report
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from socket import gethostname
from typing import Any

from smidgen.checkpoints.open_model import open_model
from smidgen.data.build import build, parts_folder
from smidgen.data.quality.contamination import ContaminationIndex
from smidgen.data.sample_texts import sample_texts
from smidgen.data.training_data import TrainingData, open_data
from smidgen.design.summary import summarise_recipe
from smidgen.errors import BadInput, Interrupted
from smidgen.evaluation.conditions import Conditions
from smidgen.evaluation.evaluate import evaluate
from smidgen.evaluation.held_out import held_out_documents
from smidgen.evaluation.named_tasks import DEFAULT_TASKS
from smidgen.evaluation.tasks.documents import EvalData
from smidgen.evaluation.tasks.evaluation_index import evaluation_index
from smidgen.evaluation.unfinished import Unfinished, unfinished_path
from smidgen.export.hugging_face import export_hugging_face
from smidgen.generation.text_sample import text_samples
from smidgen.life.mixture import mixture_over_time
from smidgen.life.sinks.feeds import fed
from smidgen.life.watcher import Watcher
from smidgen.model.config import ModelConfig
from smidgen.recipes.recipe import Recipe
from smidgen.records import atomic, manifest
from smidgen.records.run_folder import RunFolder
from smidgen.reports.report import write_report
from smidgen.stopping import REASONS, StopRequest
from smidgen.tokenization.quality import inspect
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer
from smidgen.training.device import choose_device
from smidgen.training.ranks import Ranks
from smidgen.training.trainer import train

# Held-out text of each source on which the tokenizer is measured.
QUALITY_BYTES = 300_000


@dataclass(frozen=True, kw_only=True)
class Life:
    """A recipe, the folder of its run and how to go about it.

    ``eval_data`` is the folder of benchmark files; without one they come from the Hugging Face hub. ``ranks`` are
    the processes that train together; all other stages are the first one's.
    """

    recipe: Recipe
    run: RunFolder
    cache: Path | None = None
    eval_data: Path | None = None
    device: str | None = None
    compile: bool | None = None
    max_tokens: int | None = None
    stop_requested: StopRequest = field(default_factory=StopRequest)
    watcher: Watcher = field(default_factory=Watcher)
    sinks: tuple[str, ...] = ()
    ranks: Ranks = field(default_factory=Ranks)

    @property
    def seed(self) -> int:
        return self.recipe.training.seed


def design_stage(life: Life) -> dict[str, Any]:
    """Count and diagnose the design."""
    summary = summarise_recipe(life.recipe)
    atomic.write_json(life.run.design, summary)
    return summary


def tokenizer_stage(life: Life) -> dict[str, Any]:
    """Train the tokenizer on text in the proportions of the mixture."""
    if life.run.tokenizer.is_dir():
        tokenizer = Tokenizer.open(life.run.tokenizer)
        return {"vocab_size": tokenizer.vocab_size, "fingerprint": tokenizer.fingerprint}
    settings = life.recipe.tokenizer
    texts = sample_texts(life.recipe.data, bytes_wanted=settings.training_bytes, seed=life.seed, cache=life.cache)
    tokenizer = train_tokenizer(_until_stopped(texts, life.stop_requested), settings, life.recipe.design.vocab_size)
    _check_digit_tokens(life.recipe, tokenizer)
    with atomic.atomic_directory(life.run.tokenizer) as folder:
        tokenizer.save(folder, context_length=life.recipe.design.context_length)
    return {"vocab_size": tokenizer.vocab_size, "fingerprint": tokenizer.fingerprint}


def data_stage(life: Life) -> dict[str, Any]:
    """Tokenise the sources into shards, and measure the tokenizer on what is held out."""
    tokenizer = Tokenizer.open(life.run.tokenizer)
    if not life.run.data.is_dir():
        build(
            life.recipe.data,
            tokenizer,
            out=life.run.data,
            context_length=life.recipe.design.context_length,
            training_tokens=life.recipe.training.tokens,
            seed=life.seed,
            cache=life.cache,
            evaluation=_evaluation_index(life),
            progress=life.watcher.counted,
            stop_requested=life.stop_requested,
        )
    # Of a build that was killed when all was done.
    shutil.rmtree(parts_folder(life.run.data), ignore_errors=True)
    data = open_data(life.run.data, tokenizer.fingerprint)
    for warning in (*data.index["warnings"], *data.index.get("notes", []), *filter(None, [tokenizer.notice])):
        life.watcher.noticed(warning)
    quality = inspect(tokenizer, {name: _held_out_texts(data, tokenizer, name) for name in data.held_out})
    atomic.write_json(life.run.tokenizer / "quality.json", quality)
    points = mixture_over_time(life.recipe, data)
    atomic.write_json(life.run.mixture, {"points": points})
    return {"contaminated": None, **data.index}


def train_stage(life: Life) -> dict[str, Any]:
    """Pretrain, or go on from the newest checkpoint; ``finished`` is False when a stop came before the end."""
    ranks = life.ranks
    ranks.from_first("data", lambda: None)
    _require_visible(life.run, ranks)
    tokenizer = Tokenizer.open(life.run.tokenizer)
    data = open_data(life.run.data, tokenizer.fingerprint)
    with ranks.sharing_cores(), _told_to_all(life) as on_measurement:
        result = train(
            life.recipe,
            life.run,
            data,
            resolved_config(life.recipe, tokenizer),
            device=choose_device(ranks.device or life.device),
            compile=life.compile,
            max_tokens=life.max_tokens,
            stop_requested=life.stop_requested,
            on_progress=life.watcher.trained,
            on_notice=life.watcher.noticed,
            on_measurement=on_measurement,
            eval_data=life.eval_data,
            ranks=ranks,
        )
    # Whatever the reason was of whoever was asked to stop, all end with its exit code.
    (reason,) = ranks.most(REASONS.index(life.stop_requested.reason))
    life.stop_requested.reason = REASONS[reason]
    return result.as_dict()


def evaluate_stage(life: Life) -> dict[str, Any]:
    """Score the recipe's tasks; those that cannot be scored here are named with the reason."""
    path = life.run.scores / "recipe.json"
    model = open_model(life.run.path)
    stored = manifest.read_record(path)
    if stored.get("weights_sha256") != model.weights_sha256:
        wanted = list(life.recipe.evaluation.tasks)
        if not set(wanted) & set(DEFAULT_TASKS):
            wanted.append("bits-per-byte")
        conditions = Conditions(data=EvalData(life.eval_data), stop_requested=life.stop_requested)
        unfinished = Unfinished(unfinished_path(path), life.watcher.noticed)
        stored = evaluate(model, wanted, conditions, on_task=life.watcher.scoring, unfinished=unfinished)
        atomic.write_json(path, stored)
        unfinished.discard()
    return {key: value for key, value in stored.items() if key != "items"}


def export_stage(life: Life) -> dict[str, Any]:
    """Write the Hugging Face folder and prove that it computes the same."""
    path = life.run.exports / "hf.json"
    model = open_model(life.run.path)
    stored = manifest.read_record(path)
    if stored.get("weights_sha256") != model.weights_sha256 or not (life.run.exports / "hf").is_dir():
        shutil.rmtree(life.run.exports / "hf", ignore_errors=True)
        record = export_hugging_face(
            model,
            life.run.exports / "hf",
            recommended=life.recipe.sampling,
            max_length=life.recipe.evaluation.max_length,
        )
        stored = {**record, "weights_sha256": model.weights_sha256}
        atomic.write_json(path, stored)
    return stored


def samples_stage(life: Life) -> dict[str, Any]:
    """Let the model continue the recipe's prompts with the recipe's sampling advice."""
    model = open_model(life.run.path)
    samples = text_samples(
        model.decoder,
        model.tokenizer,
        life.recipe.prompts,
        life.recipe.sampling,
        seed=life.seed,
        stop_requested=life.stop_requested,
    )
    record = {"settings": asdict(life.recipe.sampling), "seed": life.seed, "samples": samples}
    atomic.write_json(life.run.samples, record)
    return record


def report_stage(life: Life) -> dict[str, Any]:
    """Write the page, the pictures and the model card."""
    return write_report(life.run)


def resolved_config(recipe: Recipe, tokenizer: Tokenizer) -> ModelConfig:
    """The recipe's design with the token ids that its digit features are derived from."""
    if not recipe.design.has_digit_features:
        return recipe.design
    return replace(recipe.design, digit_token_ids=tokenizer.digit_token_ids())


def _evaluation_index(life: Life) -> ContaminationIndex | None:
    """What the documents are compared with; nothing where no folder of evaluation sets is given."""
    if life.eval_data is None:
        return None
    try:
        index, skipped = evaluation_index(life.recipe.data.quality, EvalData(life.eval_data))
    except BadInput as error:
        life.watcher.noticed(f"the documents are not compared with evaluation sets: {error}")
        return None
    for task, reason in skipped.items():
        life.watcher.noticed(f"the documents are not compared with {task}: {reason}")
    return index


def _check_digit_tokens(recipe: Recipe, tokenizer: Tokenizer) -> None:
    if recipe.design.has_digit_features and tokenizer.digit_token_ids() is None:
        raise BadInput(
            "digit features (design.place_vocab_size) need each digit and each of + - * / = ( ) to be one token: "
            'set tokenizer.digits="reversed" and tokenizer.isolate_operators=true'
        )


def _require_visible(run: RunFolder, ranks: Ranks) -> None:
    """Raise ``BadInput`` on a machine that does not see what the first rank made."""
    if not ranks.is_first and not (run.tokenizer.is_dir() and run.data.is_dir()):
        raise BadInput(
            f"{run.path.absolute()} on {gethostname()} is not what rank 0 has there; several machines need a run "
            "folder on a drive that all of them see, under the same path"
        )


@contextmanager
def _told_to_all(life: Life) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Hand each measurement to the watcher, the live page and the sinks; only the first rank has any."""
    if not life.ranks.is_first:
        yield life.watcher.measured
        return
    with fed(life.run, life.sinks, life.watcher.noticed) as put:

        def tell(record: dict[str, Any]) -> None:
            put(record)
            life.watcher.measured(record)

        yield tell


def _until_stopped(texts: Iterator[str], stop_requested: Callable[[], bool]) -> Iterator[str]:
    for text in texts:
        if stop_requested():
            raise Interrupted("stopped while training the tokenizer; repeat the command to start it again")
        yield text


def _held_out_texts(data: TrainingData, tokenizer: Tokenizer, source: str) -> list[str]:
    documents = held_out_documents(data, source, most_bytes=QUALITY_BYTES)
    return [tokenizer.decode(document.ids[1:]) for document in documents]


STAGES: dict[str, Callable[[Life], dict[str, Any]]] = {
    "design": design_stage,
    "tokenizer": tokenizer_stage,
    "data": data_stage,
    "train": train_stage,
    "evaluate": evaluate_stage,
    "export": export_stage,
    "samples": samples_stage,
    "report": report_stage,
}
