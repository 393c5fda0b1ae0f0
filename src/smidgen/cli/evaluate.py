"""``smidgen evaluate``: scores with intervals."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import (
    DEFAULT_REGISTRY,
    Device,
    EvalDataFolder,
    Json,
    ModelArgument,
    RegistryFile,
    TrustRemoteCode,
)


def evaluate(
    model: ModelArgument,
    tasks: Annotated[
        str | None,
        typer.Option(
            "--tasks",
            metavar="A,B",
            help="Tasks, suites (open-slm, tiny-ml, ant, gpt-s, quick), a task file of your own (.toml) or any "
            "likelihood task of lm-evaluation-harness; by default what needs no file.",
        ),
    ] = None,
    eval_data: EvalDataFolder = None,
    precision: Annotated[
        str, typer.Option("--precision", help="exact (float32), or fast: the same choices in less time.")
    ] = "exact",
    limit: Annotated[
        int | None, typer.Option("--limit", help="At most this many items of each task (of each part, as in BLiMP).")
    ] = None,
    max_length: Annotated[
        int | None, typer.Option("--max-length", help="Window in tokens; by default the design's context.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of generated items.")] = 0,
    device: Device = None,
    trust_remote_code: TrustRemoteCode = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Score file; for a run, scores/evaluate.json by default.")
    ] = None,
    registry: RegistryFile = DEFAULT_REGISTRY,
    as_json: Json = False,
) -> None:
    """Score a model with 95% intervals and floor baselines; per-item results go to a score file and the registry.

    Stopped in between, the same command goes on after the last finished task.
    """
    from smidgen import api
    from smidgen.cli.output import console, print_json
    from smidgen.cli.show import show_scores
    from smidgen.errors import SmidgenError
    from smidgen.lab.registry import Registry
    from smidgen.records import atomic
    from smidgen.records.fingerprint import sha256_of_json
    from smidgen.records.run_folder import RunFolder
    from smidgen.stopping import stop_on_signals

    screen = console(as_json=as_json)
    if out is None and RunFolder(model).exists:
        out = RunFolder(model).scores / "evaluate.json"
    # Without a score file the registry is where the scores go, so what is unfinished waits beside it.
    place = out or registry.parent / sha256_of_json(str(model.resolve()))
    wanted = None if tasks is None else [task.strip() for task in tasks.split(",") if task.strip()]
    present = ""

    def scoring(task: str) -> None:
        nonlocal present
        present = task
        status.update(f"scoring {task}")

    with stop_on_signals() as stop_requested, screen.status("loading the model") as status:
        # Imported late: torch takes seconds.
        from smidgen.evaluation.unfinished import Unfinished, unfinished_path

        unfinished = Unfinished(unfinished_path(place), lambda message: screen.print(f"note: {message}"))
        record = api.evaluate(
            model,
            wanted,
            eval_data=eval_data,
            precision=precision,
            max_length=max_length,
            limit=limit,
            seed=seed,
            device=device,
            trust_remote_code=trust_remote_code,
            stop_requested=stop_requested,
            on_task=scoring,
            on_progress=lambda scored: status.update(f"scoring {present}: {scored:,} texts"),
            unfinished=unfinished,
        )
    if out is not None:
        atomic.write_json(out, record)
    try:
        Registry(registry).add(record)
    except SmidgenError as error:
        screen.print(f"note: these scores are not in the registry: {error}")
    unfinished.discard()
    if as_json:
        print_json({key: value for key, value in record.items() if key != "items"})
    else:
        show_scores(screen, record)
