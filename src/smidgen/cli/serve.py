"""``smidgen serve``: a model behind the completion API, for programs on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smidgen.cli.options import AllowHost, Host, Json, TrustRemoteCode

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from smidgen.checkpoints.open_model import OpenModel


def serve(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL", help="Run folders, Hugging Face folders or GGUF files.")
    ],
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any that is free.")] = 8000,
    allow_host: AllowHost = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", metavar="URL", help="Let pages of this origin ask; none may by default."),
    ] = None,
    grace_seconds: Annotated[
        int, typer.Option("--grace-seconds", min=0, help="Time to finish answers when asked to stop.")
    ] = 5,
    trust_remote_code: TrustRemoteCode = False,
    as_json: Json = False,
) -> None:
    """Answer /v1/completions as OpenAI does: stream, logprobs, echo, stop, seed, all samplers. Ctrl-C ends it.

    Needs pip install "smidgen[serve]". There is no password: whoever reaches the address may use it.
    """
    from smidgen.cli.local_server import run_local_server

    def app_of(opened: "list[OpenModel]", hosts: tuple[str, ...]) -> "Starlette":
        from smidgen.serving.app import completion_app

        return completion_app(opened, hosts=hosts, origins=allow_origin or ())

    run_local_server(
        app_of,
        models,
        host=host,
        port=port,
        allow_host=allow_host,
        path="/v1",
        grace_seconds=grace_seconds,
        trust_remote_code=trust_remote_code,
        as_json=as_json,
    )
