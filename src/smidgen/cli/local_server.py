"""What `serve` and `play` share: models behind an address of this machine, until somebody asks to stop."""

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from smidgen.errors import BadInput

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from smidgen.checkpoints.open_model import OpenModel


def run_local_server(
    app_of: "Callable[[list[OpenModel], tuple[str, ...]], Starlette]",
    models: Sequence[Path],
    *,
    host: str,
    port: int,
    allow_host: Sequence[str] | None,
    path: str,
    grace_seconds: float,
    trust_remote_code: bool,
    as_json: bool,
    on_ready: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve ``app_of(models, hosts)``, one of ``completion_app``; say where, ``path`` behind the address.

    ``on_ready`` gets the address. Raises ``BadInput`` for missing packages, models that cannot be opened and an
    address that cannot be had, ``Interrupted`` when answers were cut off.
    """
    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise BadInput(f'serving needs the package {missing[0]}, which is missing; pip install "smidgen[serve]"')
    from smidgen.checkpoints.open_model import open_model
    from smidgen.cli.output import console, print_json
    from smidgen.serving.guard import LOOPBACK
    from smidgen.serving.server import listen, serve, url_of
    from smidgen.stopping import stop_on_signals

    # First of all, because models take seconds to open.
    with listen(host, port) as listening:
        opened = [open_model(model, remote_code=trust_remote_code) for model in models]
        app = app_of(opened, (*LOOPBACK, *(allow_host or ())))
        url = url_of(listening)
        with stop_on_signals() as stop_requested:
            if as_json:
                print_json({"url": url, "models": list(app.state.models)})
                # Whoever started this reads on from here while it runs.
                sys.stdout.flush()
            else:
                names = ", ".join(app.state.models)
                console(as_json=False).print(f"{names} at {url}{path} (Ctrl-C ends it)", markup=False)
            on_ready(url)
            serve(app, listening, stop_requested, grace_seconds=grace_seconds)
