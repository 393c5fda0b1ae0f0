"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from smidgen.user_cache import user_cache

RecipeArgument = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe or a .toml file.")]
ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A run folder, a Hugging Face folder, a GGUF file or a name.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the recipe, e.g. training.tokens=2e6."),
]
DataPaths = Annotated[
    list[str] | None,
    typer.Option(
        "--data", metavar="NAME=PATH", help="Replace a source by local files; NAME text means all text sources."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]
Cache = Annotated[
    Path, typer.Option("--cache", help="Folder for what is extracted from installed packages.", show_default=False)
]
Device = Annotated[str | None, typer.Option("--device", help="cpu or cuda; by default a GPU where there is one.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen at; the default is this machine alone.")]
AllowHost = Annotated[
    list[str] | None, typer.Option("--allow-host", metavar="NAME", help="Answer to this name as well.")
]
TrustRemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code", help="Run the Python code that a model's folder brings along, with your rights."
    ),
]
Compile = Annotated[
    bool | None, typer.Option("--compile/--no-compile", help="Compile the training step (the recipe decides).")
]
MaxSeconds = Annotated[
    float | None, typer.Option("--max-seconds", min=0, help="Save and end after this long (exit code 75).")
]

Sinks = Annotated[
    list[str] | None,
    typer.Option(
        "--sink",
        metavar="NAME",
        help="Hand the measurements to tensorboard or trackio, too; neither can stop the run.",
    ),
]

EvalDataFolder = Annotated[
    Path | None,
    typer.Option(
        "--eval-data",
        metavar="DIR",
        help="Folder of benchmark files, TASK/SPLIT.jsonl; the Hugging Face hub if not given.",
    ),
]
RegistryFile = Annotated[
    Path,
    typer.Option("--registry", envvar="SMIDGEN_REGISTRY", help="File of all scores made here.", show_default=False),
]

DEFAULT_REGISTRY = Path(typer.get_app_dir("smidgen")) / "scores.sqlite"
DEFAULT_NOISE = Path(typer.get_app_dir("smidgen")) / "noise"
DEFAULT_CACHE = user_cache()
