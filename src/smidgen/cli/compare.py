"""``smidgen compare``: is one model better than another, and how sure is that."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smidgen.cli.options import DEFAULT_REGISTRY, Json, RegistryFile

if TYPE_CHECKING:
    from rich.console import Console

    from smidgen.lab.metric import Metric


def compare(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="A B ...", help="Run folders or score files; the later ones are held against A."),
    ] = None,
    all_pairs: Annotated[bool, typer.Option("--all-pairs", help="Compare every model with every other.")] = False,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Another metric than the usual one of a task.")
    ] = None,
    tasks: Annotated[str | None, typer.Option("--tasks", metavar="A,B", help="Only these tasks.")] = None,
    seeds: Annotated[
        bool, typer.Option("--seeds", help="Compare two recipes by several runs: A1,A2,A3 B1,B2,B3.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="List all models scored here, with ranks.")] = False,
    row: Annotated[bool, typer.Option("--row", help="Print A's row for the Open SLM Leaderboard.")] = False,
    org: Annotated[str, typer.Option("--org", help="Organisation, for --row.")] = "",
    card: Annotated[str, typer.Option("--card", metavar="URL", help="Model card, for --row.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE.html", help="Write a page with charts as well.")
    ] = None,
    registry: RegistryFile = DEFAULT_REGISTRY,
    as_json: Json = False,
) -> None:
    """Compare scored models item by item: differences with 95% intervals, and verdicts in words."""
    from smidgen import api
    from smidgen.cli.output import console, print_json

    given = models or []
    _check_form(given, {"--all": everything, "--row": row, "--seeds": seeds, "--all-pairs": all_pairs})
    screen = console(as_json=as_json or row)
    if row:
        _print_row(screen, given[0], org=org, card=card)
        return
    if everything:
        result = api.leaderboard(registry, models=given, page=out)
    else:
        wanted = None if tasks is None else [task.strip() for task in tasks.split(",") if task.strip()]
        result = api.compare(given, seeds=seeds, all_pairs=all_pairs, metric=metric, tasks=wanted, page=out)
    if as_json:
        print_json(result)
    elif everything:
        _show_leaderboard(screen, result)
    else:
        _show_comparisons(screen, result)
    if out is not None and not as_json:
        screen.print(f"page {out}")


def _check_form(models: list[str], forms: dict[str, bool]) -> None:
    from smidgen.errors import BadInput

    chosen = [name for name, wanted in forms.items() if wanted]
    if len(chosen) > 1:
        raise BadInput(f"{chosen[0]} and {chosen[1]} are different forms of comparison; give one of them")
    form = chosen[0] if chosen else ""
    expected = {"--row": 1, "--seeds": 2}.get(form)
    if expected is not None and len(models) != expected:
        raise BadInput(f"{form} takes {expected} of [A B ...], given {len(models)}")
    if form in ("", "--all-pairs") and len(models) < 2:
        raise BadInput(
            f"models given: {len(models)}, a comparison needs two or more: smidgen compare A B; "
            "`smidgen compare --all` lists all models scored here"
        )


def _print_row(screen: "Console", model: str, *, org: str, card: str) -> None:
    from smidgen.cli.output import print_json
    from smidgen.lab.leaderboard_row import leaderboard_row
    from smidgen.lab.score_record import read_record

    row, missing = leaderboard_row(read_record(Path(model)), org=org, card=card)
    print_json(row)
    for sentence in missing:
        screen.print(f"missing {sentence}")


def _show_comparisons(screen: "Console", result: dict[str, Any]) -> None:
    """One table for each pair, the verdict last; then what has to be known to trust it."""
    from rich.text import Text

    from smidgen.cli.output import table
    from smidgen.lab.metric import Metric

    for a, b in dict.fromkeys((one["a"], one["b"]) for one in result["comparisons"]):
        screen.print(Text(f"{b} (B) against {a} (A)", style="bold"))
        shown = table("task", "A", "B", "difference, 95% interval", "adjusted p", "items", "B is")
        shown.columns[6].justify = "left"
        for one in result["comparisons"]:
            if (one["a"], one["b"]) != (a, b):
                continue
            metric = Metric(one["metric"])
            low, high = (_change(metric, one[bound]) for bound in ("low", "high"))
            shown.add_row(
                f"{one['task']}, {metric.name.replace('_', ' ')}",
                _value(metric, one["value_a"]),
                _value(metric, one["value_b"]),
                f"{_change(metric, one['difference'])} ({low} to {high})",
                f"{one['p_adjusted']:.2g}",
                f"{one['n']:,}",
                one["verdict"],
            )
        screen.print(shown)
        for task, counts in result["only_in_one"].get(f"{b} against {a}", {}).items():
            alone = ", ".join(f"{number:,} only by {name}" for name, number in counts.items() if number)
            screen.print(Text(f"{task}: items scored {alone}", style="dim"))
    for warning in result["warnings"]:
        screen.print(Text(f"note: {warning}", style="yellow"))


def _show_leaderboard(screen: "Console", board: dict[str, Any]) -> None:
    """Task by task, best first, what others report among what was measured."""
    from rich.text import Text

    from smidgen.cli.output import table
    from smidgen.lab.leaderboard import columns

    for task, metric in columns(board):
        shown = table(f"{task}, {metric.name.replace('_', ' ')}", "parameters", "score", "95% interval", "rank", "")
        shown.columns[5].justify = "left"
        rows = [_measured(row, row["scores"][task]) for row in board["models"] if task in row["scores"]]
        rows += [
            {**reference, "value": reference["scores"][task][metric.name], "note": "self-reported"}
            for reference in board["references"]
            if metric.name in reference["scores"].get(task, {})
        ]
        for row in sorted(rows, key=lambda row: row["value"] if metric.lower_is_better else -row["value"]):
            shown.add_row(
                row["model"],
                "" if row["parameters"] is None else f"{row['parameters']:,}",
                _value(metric, row["value"]),
                f"{_value(metric, row['low'])} to {_value(metric, row['high'])}"
                if row.get("low") is not None
                else "",
                _ranks(row.get("rank")),
                row["note"],
            )
        screen.print(shown)
        screen.print()
    if not board["models"]:
        screen.print(Text("no model was scored here yet: smidgen evaluate MODEL", style="yellow"))


def _measured(row: dict[str, Any], score: dict[str, Any]) -> dict[str, Any]:
    note = "" if score["limit"] is None else f"on {score['n']:,} items only"
    return {"model": row["model"], "parameters": row["parameters"], **score, "note": note}


def _ranks(rank: list[int] | None) -> str:
    if rank is None:
        return ""
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]} to {rank[1]}"


def _value(metric: "Metric", number: float) -> str:
    return f"{number:.4g}" if metric.units else f"{100 * number:.2f}%"


def _change(metric: "Metric", number: float) -> str:
    return f"{number:+.3g}" if metric.units else f"{100 * number:+.2f}"
