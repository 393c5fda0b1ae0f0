"""The commands, and what becomes of errors: one sentence and an exit code."""

import errno
import os
import sys
from collections.abc import Sequence

import typer

from smidgen.cli import (
    ablate,
    compare,
    data,
    design,
    evaluate,
    export,
    generate,
    play,
    recipes,
    report,
    run,
    samplers,
    serve,
    solve,
    tokenizer,
    train,
    verify,
)
from smidgen.errors import BadInput, Interrupted, OutOfResources, SmidgenError
from smidgen.records.atomic import DISK_IS_FULL
from smidgen.stopping import terminated_like_ctrl_c

# What only the user can mend about a path.
UNUSABLE_PATH = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
}

app = typer.Typer(
    name="smidgen",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The lab for language models under ten million parameters: design, train, score and ship one.\n\n"
    "Start with: smidgen run quickstart",
)
app.command(name="run")(run.run)
app.command(name="recipes")(recipes.recipes)
app.command(name="design")(design.design)
app.command(name="solve")(solve.solve)
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(data.app, name="data")
app.command(name="train")(train.train)
app.command(name="evaluate")(evaluate.evaluate)
app.command(name="compare")(compare.compare)
app.command(name="ablate")(ablate.ablate)
app.command(name="generate")(generate.generate)
app.command(name="play")(play.play)
app.command(name="serve")(serve.serve)
app.command(name="samplers")(samplers.samplers)
app.command(name="export")(export.export)
app.command(name="report")(report.report)
app.command(name="verify")(verify.verify)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error (before or after COMMAND)."),
) -> None:
    """Read by ``main`` before typer sees it; declared for ``--help``."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code.

    0 done, 1 a check failed, 2 bad input, 75 out of resources, 130 interrupted (both resumable).
    """
    # Threads that wait for each other by spinning take the core from whoever they wait for. Measured beside one
    # busy process on two cores: 13.0k tokens/s against 7.3k; alone the same (experiments.md). Read by OpenMP when
    # torch is first imported, so it is set here; a setting of the user's stands.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        with terminated_like_ctrl_c():
            app([word for word in words if word != "--debug"], prog_name="smidgen", obj=words)
    except SmidgenError as error:
        _leave(error, debug)
    except KeyboardInterrupt:
        _leave(Interrupted("interrupted; what was saved is kept"), debug)
    except MemoryError:
        _leave(OutOfResources("out of memory; a smaller training.micro_batch_size needs less"), debug)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does: nobody is left to tell.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            _leave(OutOfResources(f"no space left on the disk ({error.filename or 'output'}); free some"), debug)
        if error.errno not in UNUSABLE_PATH or error.filename is None:
            raise
        advice = "give another path, or change what is there or its permissions"
        _leave(BadInput(f"{error.filename} cannot be used: {error.strerror}; {advice}"), debug)


def _leave(error: SmidgenError, debug: bool) -> None:
    if debug:
        raise error
    if not error.is_said_elsewhere:
        print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
