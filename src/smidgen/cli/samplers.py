"""``smidgen samplers``: which sampling settings suit a model."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.cli.options import Json, ModelArgument, TrustRemoteCode


def samplers(
    model: ModelArgument,
    prompts: Annotated[
        Path | None,
        typer.Option("--prompts", metavar="FILE", help="A prompt on each line, or .jsonl; else held-out text."),
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid", metavar="KEY=V1,V2", help="Values of a setting, e.g. temperature=0.5,0.8; repeatable."
        ),
    ] = None,
    samples: Annotated[int, typer.Option("--samples", help="Prompts taken from held-out text.")] = 64,
    seeds: Annotated[int, typer.Option("--seeds", help="Texts drawn after each prompt.")] = 1,
    new_tokens: Annotated[int, typer.Option("--new-tokens", help="Length of a text, at most 96 tokens.")] = 96,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**62, help="Same seed, same texts.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of record and page; for a run, samplers/ in it by default.")
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Measure loops, variety, unknown words and likelihood over a grid of settings, and recommend one.

    The advice of the five published cards and the model's own are always among the settings. Stopped in between, the
    same command goes on after the last finished setting.
    """
    from smidgen import api
    from smidgen.cli.bar_display import BarDisplay
    from smidgen.cli.output import print_json
    from smidgen.cli.samplers_display import show_samplers
    from smidgen.records.run_folder import RunFolder
    from smidgen.stopping import stop_on_signals

    if out is None and RunFolder(model).exists:
        out = RunFolder(model).samplers
    with stop_on_signals() as stop_requested, BarDisplay(as_json=as_json, bar_width=30) as display:
        task = display.bar.add_task("settings", total=None, detail="reading the model and real text")

        def measured(done: int, of: int) -> None:
            display.bar.update(task, completed=done, total=of, detail=f"{done} of {of}")

        result = api.samplers(
            model,
            grid=grid or (),
            out=out,
            prompts=prompts,
            samples=samples,
            seeds=seeds,
            new_tokens=new_tokens,
            seed=seed,
            trust_remote_code=trust_remote_code,
            stop_requested=stop_requested,
            on_setting=measured,
            on_notice=lambda message: display.screen.print(f"note: {message}"),
        )
    if as_json:
        print_json(result)
        return
    show_samplers(display.screen, result)
    if out is not None:
        display.screen.print(f"page {out / 'index.html'}")
