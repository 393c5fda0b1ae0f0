"""``smidgen play``: a page to try models on, with PyTorch behind it."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smidgen.cli.options import AllowHost, Host, Json, TrustRemoteCode

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from smidgen.checkpoints.open_model import OpenModel


def play(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL [MODEL2]]", help="One model, or two to compare; else one that comes along."),
    ] = None,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any that is free.")] = 8001,
    allow_host: AllowHost = None,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Show the page in a browser.")] = False,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Write texts with a model, or two side by side; see what was likely at every token and what each head reads.

    Needs pip install "smidgen[serve]". There is no password: whoever reaches the address may use it. Ctrl-C ends it.
    """
    from smidgen.checkpoints.shipped import DEFAULT_MODEL
    from smidgen.cli.local_server import run_local_server

    def app_of(opened: "list[OpenModel]", hosts: tuple[str, ...]) -> "Starlette":
        from smidgen.playground.app import playground_app

        return playground_app(opened, hosts=hosts)

    run_local_server(
        app_of,
        models or [Path(DEFAULT_MODEL)],
        host=host,
        port=port,
        allow_host=allow_host,
        path="",
        grace_seconds=1,
        trust_remote_code=trust_remote_code,
        as_json=as_json,
        on_ready=webbrowser.open if open_page else lambda url: None,
    )
