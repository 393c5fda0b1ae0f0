"""The Python interface: the commands as functions. They return what ``--json`` prints.

Everything heavy is imported inside, so that planning needs no torch.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe, recipe_from_dict
from smidgen.recipes.recipe import Recipe
from smidgen.records.run_folder import RunFolder

if TYPE_CHECKING:
    from smidgen.design.summary import Questions
    from smidgen.evaluation.unfinished import Unfinished

__all__ = [
    "ablate",
    "compare",
    "design",
    "evaluate",
    "export",
    "generate",
    "load_recipe",
    "samplers",
    "solve",
    "train",
]


def _never() -> bool:
    return False


def design(
    recipe: Recipe | str,
    *,
    overrides: Sequence[str] = (),
    data: Sequence[str] = (),
    budget: int | None = None,
    document_tokens: int | None = None,
    cache_tokens: int | None = None,
    scale: int | None = None,
    price_per_hour: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Count and diagnose a recipe (an object, a name or a file), a run's folder, or the ``config.json`` of a model of
    others or its folder. A run whose data are built is also told how its documents and its vocabulary suit it.

    ``budget`` are the most parameters that are wanted, ``document_tokens`` the usual length of the documents,
    ``cache_tokens`` those to keep keys and values of (one context if not given). ``scale`` adds a plan for so many
    training tokens, with costs for hardware that ``price_per_hour`` has a price for.

    Raises ``BadInput`` for what cannot be read or built.
    """
    from smidgen.design.config_file import read_shape
    from smidgen.design.summary import Questions, summarise_recipe, summarise_shape
    from smidgen.design.tokenizer_file import entries_beside

    questions = Questions(
        budget=budget,
        document_tokens=document_tokens,
        cache_tokens=cache_tokens,
        scale_tokens=scale,
        price_per_hour=price_per_hour or {},
    )
    if isinstance(recipe, Recipe):
        return summarise_recipe(recipe, questions)
    path = Path(recipe)
    if not path.is_dir() and path.suffix != ".json":
        return summarise_recipe(load_recipe(recipe, overrides=overrides, data=data), questions)
    if overrides or data:
        raise BadInput("--set and --data change recipes; a run and a config.json are read as they are")
    if RunFolder(path).exists:
        return summarise_recipe(*_of_run(RunFolder(path), questions))
    config = path / "config.json" if path.is_dir() else path
    entries = entries_beside(config)
    return summarise_shape(read_shape(str(config)), name=recipe, tokenizer_entries=entries, questions=questions)


def _of_run(run: RunFolder, questions: "Questions") -> tuple[Recipe, "Questions"]:
    """A run's recipe, and the questions with what its data answer, where they are built."""
    recipe = recipe_from_dict(run.stored_recipe(), origin=str(run.recipe))
    if not run.data.exists():
        return recipe, questions
    from smidgen.data.training_data import open_data
    from smidgen.data.usage import measure_usage
    from smidgen.design.subject import EntriesSeen

    usage = measure_usage(open_data(run.data, None, verify=False))
    # Control tokens and bytes come first and are there whether the text has them or not.
    learned = usage.counts[recipe.smallest_vocab_size :]
    seen = EntriesSeen(entries=len(usage.counts) - int((learned == 0).sum()), tokens=usage.tokens)
    document_tokens = questions.document_tokens or usage.document_tokens
    return recipe, replace(questions, document_tokens=document_tokens, entries_seen=seen)


def solve(
    parameters: int,
    *,
    top: int = 8,
    recipe: Path | str | None = None,
    page: Path | str | None = None,
    command: str = "",
    **constraints: Any,
) -> dict[str, Any]:
    """The best shapes of at most ``parameters`` and at least 99% of them, with the derivation of the best.

    ``constraints`` are the fields of ``Constraints`` in ``smidgen.design.solving.constraints``. ``recipe`` is a new
    .toml file for the best shape, ``page`` a file for HTML with the design space; ``command`` is what both say made
    them.

    Raises ``BadInput`` for a budget or constraint that no shape can have, and where no shape keeps to all of them.
    """
    from smidgen.design.solving.constraints import Constraints
    from smidgen.design.solving.solver import solve as find
    from smidgen.design.solving.summary import summarise_solution

    solution = find(parameters, Constraints(**constraints))
    result = summarise_solution(solution, top=top)
    command = command or f"smidgen.solve({parameters})"
    if recipe is not None:
        from smidgen.design.solving.recipe_file import write_recipe

        write_recipe(solution, Path(recipe), command=command)
    if page is not None:
        from smidgen.reports.solving.solution_page import write_solution_page

        write_solution_page(result, Path(page), command=command)
    return result


def train(
    recipe: Recipe | None,
    run: Path | str,
    *,
    until: str = "train",
    cache: Path | None = None,
    eval_data: Path | None = None,
    device: str | None = None,
    compile: bool | None = None,
    max_tokens: int | None = None,
    stop_requested: Any = None,
    watcher: Any = None,
    sinks: Sequence[str] = (),
    command: str = "",
) -> dict[str, Any]:
    """Take a recipe through its life up to a stage ("report" is the last) in the folder ``run``.

    Continues what the folder already holds; ``recipe`` None means the folder's own. Returns each stage's result by
    name. ``stop_requested`` is a ``StopRequest``, ``watcher`` a ``Watcher``; ``sinks`` name what else gets the
    measurements ("tensorboard", "trackio"), and none of it can stop the run. Raises ``BadInput`` when the folder
    holds another run, ``OutOfResources`` on a full disk, ``Interrupted`` when stopped outside of training; a
    training stopped early says so under ``finished``.

    Started by torchrun, all processes train together; they need the same arguments, and those after the first get
    the result of training alone.
    """
    from smidgen.life.run import run_life
    from smidgen.life.sinks.sink import require_known
    from smidgen.life.stages import Life
    from smidgen.life.watcher import Watcher
    from smidgen.recipes.loading import recipe_from_dict
    from smidgen.records.run_folder import RunFolder
    from smidgen.stopping import StopRequest
    from smidgen.training.launch import read_launch
    from smidgen.training.ranks import Ranks, device_of_rank

    require_known(sinks)
    launch = read_launch(os.environ)
    ranks = Ranks(launch, device=device_of_rank(launch, device))
    folder = RunFolder(Path(run))
    life = Life(
        recipe=recipe or recipe_from_dict(folder.stored_recipe(), origin=str(folder.recipe)),
        run=folder,
        cache=cache,
        eval_data=eval_data,
        device=device,
        compile=compile,
        max_tokens=max_tokens,
        stop_requested=stop_requested or StopRequest(),
        watcher=watcher or Watcher(),
        sinks=tuple(sinks),
        ranks=ranks,
    )
    with ranks.joined():
        return run_life(life, command=command, until=until)


def evaluate(
    model: Path | str,
    tasks: Sequence[str] | None = None,
    *,
    eval_data: Path | str | None = None,
    precision: str = "exact",
    max_length: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str | None = None,
    trust_remote_code: bool = False,
    stop_requested: Callable[[], bool] = _never,
    on_task: Callable[[str], None] = lambda task: None,
    on_progress: Callable[[int], None] = lambda scored: None,
    unfinished: "Unfinished | None" = None,
) -> dict[str, Any]:
    """Score a model with intervals on tasks or suites, by default on what needs no file.

    Benchmarks come from the folder ``eval_data``, or from the Hugging Face hub. ``precision`` "exact" is float32,
    "fast" makes the same choices in less time. ``max_length`` is the window in tokens where that is not the design's
    context; ``device`` is a GPU by default where there is one. ``trust_remote_code`` runs Python code that the folder
    of a model by others brings along. ``unfinished`` keeps finished tasks for a repeated call, until you discard it.
    The record holds per-item results under ``items``.

    Raises ``BadInput`` for an unknown task and when none can be scored, ``Interrupted`` when stopped, ``CheckFailed``
    for a model that returns NaN.
    """
    from smidgen.checkpoints.open_model import open_model
    from smidgen.evaluation.conditions import Conditions
    from smidgen.evaluation.evaluate import evaluate as score
    from smidgen.evaluation.named_tasks import DEFAULT_TASKS
    from smidgen.evaluation.tasks.documents import EvalData
    from smidgen.lab.suspicion import suspicious_scores
    from smidgen.training.device import choose_device

    conditions = Conditions(
        precision=cast(Any, precision),
        limit=limit,
        seed=seed,
        data=EvalData(None if eval_data is None else Path(eval_data)),
        stop_requested=stop_requested,
        on_progress=on_progress,
    )
    if max_length is not None and max_length < 2:
        raise BadInput(f"--max-length {max_length} leaves no token to predict from; give at least 2")
    place = choose_device(device)
    opened = open_model(Path(model), remote_code=trust_remote_code)
    opened = replace(opened, decoder=opened.decoder.to(place), max_length=max_length or opened.max_length)
    record = score(
        opened, DEFAULT_TASKS if tasks is None else tasks, conditions, on_task=on_task, unfinished=unfinished
    )
    return {**record, "warnings": [*record["warnings"], *suspicious_scores(record)]}


def compare(
    models: Sequence[Path | str],
    *,
    all_pairs: bool = False,
    seeds: bool = False,
    metric: str | None = None,
    tasks: Sequence[str] | None = None,
    page: Path | str | None = None,
) -> dict[str, Any]:
    """Hold scored models (run folders or score files) against the first, item by item, with verdicts in words.

    With ``seeds`` there are two entries, each several runs of one recipe separated by commas. ``page`` is a file for
    the same as HTML with charts. Raises ``BadInput`` for a model without scores and for models that share no items.
    """
    from smidgen.lab.comparison import compare_records
    from smidgen.lab.score_record import labelled, read_record
    from smidgen.lab.seeds import compare_seeds

    if seeds:
        if page is not None:
            raise BadInput("a page compares single models, not groups of seeds; leave out --out or --seeds")
        a, b = ([read_record(Path(path)) for path in str(group).split(",") if path] for group in models)
        return compare_seeds(a, b, metric=metric, tasks=tasks)
    records = [read_record(Path(model)) for model in models]
    result = compare_records(records, all_pairs=all_pairs, metric=metric, tasks=tasks)
    if page is not None:
        from smidgen.reports.comparison.comparison_page import write_comparison_page

        named = [{**record.content, "model": record.label} for record in labelled(records)]
        write_comparison_page(named, result["comparisons"], Path(page))
    return result


def ablate(
    file: Path | str,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    data: Sequence[str] = (),
    eval_data: Path | None = None,
    workers: int | None = None,
    device: str | None = None,
    cache: Path | None = None,
    noise: Path | None = None,
    log: Path | str | None = None,
    stop_requested: Any = None,
    watcher: Any = None,
) -> dict[str, Any]:
    """Train variants and seeds of a recipe under an equal budget, as ``file`` defines, and judge: did it help?

    ``out`` (by default ``runs/NAME``) keeps everything; the same call goes on with what is not finished. ``workers``
    is the number of processes. ``noise`` is the user's folder for the noise floors of shipped recipes (those of
    files lie beside the files); without one none are read or kept. ``log`` is a Markdown file that gets a line once
    all is finished. ``stop_requested`` is a ``StopRequest``, ``watcher`` an ``AblationWatcher``.

    Returns what ``ablation.json`` holds; after a stop its ``finished`` is False. Raises ``BadInput`` for a definition
    that cannot be used, ``OutOfResources`` when disk or memory is full, ``Interrupted`` when stopped before the
    trials.
    """
    from smidgen.lab.ablation.definition import read_ablation
    from smidgen.lab.ablation.noise_record import noise_file
    from smidgen.stopping import StopRequest
    from smidgen.trials.ablation_run import Conditions, run_ablation
    from smidgen.trials.conclusion import conclude
    from smidgen.trials.experiment_log import append_to_log
    from smidgen.trials.watcher import AblationWatcher

    ablation = read_ablation(Path(file), overrides=overrides, data=data)
    folder = Path(out or Path("runs") / ablation.name)
    conditions = Conditions(
        workers=workers,
        device=device,
        cache=cache,
        eval_data=eval_data,
        noise=None if noise is None else noise_file(ablation.source, noise),
        stop_requested=stop_requested or StopRequest(),
        watcher=watcher or AblationWatcher(),
    )
    run_ablation(ablation, folder, Path(file), conditions)
    result = conclude(ablation, folder, noise=conditions.noise, watcher=conditions.watcher)
    if log is not None:
        append_to_log(result, Path(log))
    return result


def leaderboard(
    registry: Path | str, *, models: Sequence[Path | str] = (), page: Path | str | None = None
) -> dict[str, Any]:
    """All models of a registry and those given, beside what others report of theirs; ``page`` is a file for HTML.

    Raises ``BadInput`` for a damaged registry and a model without scores.
    """
    from smidgen.lab.leaderboard import leaderboard as board
    from smidgen.lab.published import published_models
    from smidgen.lab.registry import Registry
    from smidgen.lab.score_record import read_record, record_of

    stored = Registry(Path(registry))
    records = [read_record(Path(model)) for model in models]
    records += [record_of(stored.record(row["id"]), origin=f"record {row['id']}") for row in stored.rows()]
    result = board(records, published_models())
    if page is not None:
        from smidgen.reports.comparison.leaderboard_page import rows_of, write_leaderboard_page

        write_leaderboard_page(rows_of(result), Path(page))
    return result


def generate(
    model: Path | str,
    prompt: str,
    *,
    seed: int = 0,
    echo_logprobs: bool = False,
    on_text: Callable[[str], None] = lambda text: None,
    stop_requested: Callable[[], bool] = _never,
    trust_remote_code: bool = False,
    preset: str | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Continue a text. ``settings`` are those of ``SamplingSettings``; the rest is filled by the advice of a shipped
    recipe, ``preset``, or else by the model's own.

    ``on_text`` gets the continuation piece by piece. ``remarks`` of what is returned say what to know of an equation
    that is asked for: that it has no answer, or that the model was trained on none like it. ``trust_remote_code``
    runs Python code that the folder of a model by others brings along.

    Raises ``BadInput`` for a setting out of range.
    """
    from smidgen.checkpoints.open_model import open_model
    from smidgen.data.arithmetic.remarks import remarks
    from smidgen.evaluation.log_likelihood import token_log_probabilities
    from smidgen.generation.decoding import complete
    from smidgen.generation.threads import single_thread
    from smidgen.recipes.presets import sampling_preset

    opened = open_model(Path(model), remote_code=trust_remote_code)
    try:
        sampling = replace(sampling_preset(preset) if preset else opened.sampling, **settings)
    except (TypeError, ValueError) as error:
        raise BadInput(str(error)) from error
    tokenizer = opened.tokenizer
    ids = tokenizer.encode(prompt) or [tokenizer.end_of_text_id]
    streamed = opened.streaming_decoder()
    started = time.monotonic()
    with single_thread():
        completion = complete(
            opened.decoder,
            ids,
            sampling,
            stop_ids={tokenizer.end_of_text_id},
            seed=seed,
            on_token=lambda token: on_text(streamed.push(token)),
            stop_requested=stop_requested,
            with_logprobs=echo_logprobs,
        )
    on_text(streamed.flush())
    seconds = time.monotonic() - started
    result = {
        "text": tokenizer.decode(completion.token_ids),
        "tokens": len(completion.token_ids),
        "finish_reason": completion.finish_reason,
        "tokens_per_second": round(len(completion.token_ids) / max(seconds, 1e-9), 1),
        "remarks": remarks(prompt, opened.equations),
    }
    if not echo_logprobs:
        return result
    values = [*token_log_probabilities(opened.decoder, ids), *(completion.logprobs or [])]
    pieces = tokenizer.pieces([*ids, *completion.token_ids])
    entries = [{"token": piece, "logprob": value} for piece, value in zip(pieces, values, strict=True)]
    return {**result, "prompt_logprobs": entries[: len(ids)], "logprobs": entries[len(ids) :]}


def samplers(
    model: Path | str,
    *,
    grid: Sequence[str] = (),
    out: Path | str | None = None,
    page: bool = True,
    trust_remote_code: bool = False,
    **conditions: Any,
) -> dict[str, Any]:
    """Measure loops, variety, unknown words and likelihood over a grid of sampling settings, and recommend one.

    ``grid`` are axes as "temperature=0.5,0.8"; without any a grid of 51 settings is tried. The advice of the five
    cards and the model's own are always among them. ``out`` is a folder for the record, from which a repeated call
    goes on, and for a page. ``conditions`` are the fields of ``Conditions`` in ``smidgen.lab.samplers.study``.

    Raises ``BadInput`` for axes and prompts that cannot be used, ``Interrupted`` when stopped.
    """
    from smidgen.checkpoints.open_model import open_model
    from smidgen.lab.samplers.grid import default_grid, grid_of
    from smidgen.lab.samplers.study import Conditions, study
    from smidgen.reports.samplers.samplers_page import write_samplers_page

    folder = None if out is None else Path(out)
    if conditions.get("prompts") is not None:
        conditions["prompts"] = Path(conditions["prompts"])
    asked = Conditions(grid=grid_of(grid) if grid else default_grid(), out=folder, **conditions)
    result = study(open_model(Path(model), remote_code=trust_remote_code), asked)
    if folder is not None and page:
        write_samplers_page(result, folder / "index.html")
    return result


def export(
    model: Path | str,
    out: Path | str,
    *,
    to: str = "hf",
    upload: str | None = None,
    public: bool = False,
    dry_run: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Write a model in another format, read it back and prove that it computes the same.

    ``upload`` ("USER/NAME") puts a Hugging Face folder, and the model card of a run, on the hub: see ``upload`` in
    ``smidgen.export.hub`` for ``public`` and ``dry_run``. An export of the same model in ``out`` is then used again.

    ``options`` are those of the format: for "gguf" those of ``ship_gguf`` in ``smidgen.life.shipping``, for "web"
    those of ``export_web``.

    Raises ``BadInput`` for an unknown format or an existing folder, ``CheckFailed`` when the proof fails.
    """
    from smidgen.life.shipping import ship

    return ship(Path(model), Path(out), to=to, upload=upload, public=public, dry_run=dry_run, **options)
