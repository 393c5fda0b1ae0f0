"""What ``smidgen solve`` shows in a terminal: the derivation, the candidates, the score, the design space."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from smidgen.cli.design_display import COLOURS, budget_bar
from smidgen.cli.output import table
from smidgen.reports import words
from smidgen.reports.solving.landmarks import landmarks
from smidgen.reports.solving.space import LIMITS, Space, space_of

# The shades of the design space, the best first; what is worse than all stays empty.
SHADES = "█▓▒░"
BEST = "◆"
MOST_ROWS = 16
NARROWEST_BAR, WIDEST_BAR = 8, 40


def show_solution(screen: Console, result: dict[str, Any]) -> None:
    """Why first, then what."""
    best = result["candidates"][0]
    title = f"{best['parameters']:,} of {result['budget']:,} parameters: {shape_words(best)}"
    screen.print(Text(title, style="bold"))
    steps = Table.grid(padding=(0, 1))
    for number, step in enumerate(result["derivation"], 1):
        source = (f"\n{step['source']}: {step['strength']}", "dim")
        steps.add_row(f"{number}.", Text.assemble(step["statement"], source))
    screen.print(steps)
    screen.print()
    _show_terms(screen, result)
    screen.print()
    _show_candidates(screen, result)
    screen.print()
    _show_space(screen, space_of(result["space"], landmarks()))
    for note in result["notes"]:
        screen.print(Text(f"note: {note}", style="yellow"))


def shape_words(shape: dict[str, Any]) -> str:
    """ "vocabulary 4,096, 9 layers of 192, heads 6:2 of 32, feed-forward 672"."""
    return (
        f"vocabulary {shape['vocab_size']:,}, {shape['num_layers']} layers of {shape['hidden_size']}, heads "
        f"{shape['num_heads']}:{shape['num_kv_heads']} of {shape['head_dim']}, feed-forward "
        f"{shape['intermediate_size']}"
    )


def _show_terms(screen: Console, result: dict[str, Any]) -> None:
    shown = table("score of the best: percent of the loss", "cost", "how sure")
    shown.columns[2].justify = "left"
    for term in result["terms"]:
        shown.add_row(term["name"], f"{term['cost']:.3f}", term["strength"])
    shown.add_row("sum", f"{result['candidates'][0]['score']:.3f}", "")
    screen.print(shown)


def _show_candidates(screen: Console, result: dict[str, Any]) -> None:
    """Narrow enough for 80 columns; the bars of the budget take what is left of the line."""
    has_speed = "tokens_per_second" in result["candidates"][0]
    columns = ["depth x\nwidth", "\nvocabulary", "\nheads", "feed-\nforward", "\nparameters", "\nscore"]
    columns += ["\ntokens/s"] if has_speed else []
    room = min(WIDEST_BAR, screen.width - 65 - 10 * has_speed)
    shown = table("\nrank", *columns, *(["\nbudget"] if room >= NARROWEST_BAR else []))
    for column in shown.columns:
        column.no_wrap = True
        column.justify = "left" if column.header == "\nbudget" else column.justify
    for one in result["candidates"]:
        cells: list[str | Text] = [
            f"{one['rank']:,}",
            f"{one['num_layers']} x {one['hidden_size']}",
            f"{one['vocab_size']:,}",
            f"{one['num_heads']}:{one['num_kv_heads']} of {one['head_dim']}",
            str(one["intermediate_size"]),
            f"{one['parameters']:,}",
            f"{one['score']:.3f}",
        ]
        cells += [words.count(one["tokens_per_second"])] if has_speed else []
        shown.add_row(*cells, *([budget_bar(one["parts"], room)] if room >= NARROWEST_BAR else []))
    screen.print(shown)
    key = Text("The best of each width and depth. Parameters by part: ")
    for part in (part for part, number in result["candidates"][0]["parts"].items() if number):
        key.append("━ ", style=COLOURS[part]).append(f"{part.replace('_', '-')}  ")
    screen.print(key)


def _show_space(screen: Console, space: Space) -> None:
    """Widths upward, depths to the right as far as the line goes."""
    depths = space.depths[: (screen.width - 8) // 2]
    screen.print(Text("width  the best score of each width and depth", style="dim"))
    for line in _rows(space, depths):
        screen.print(line)
    labels = "".join(f"{depth:<6}" for depth in depths[::3])
    screen.print(Text(f"{'':6} {labels}depth", style="dim"))
    limits = [f"{shade} within {limit}%" for shade, limit in zip(SHADES, LIMITS, strict=True)]
    screen.print(Text(f"{BEST} best  {'  '.join(limits)} of the loss of it", style="dim"))
    marks = [f"{number} {one.name} ({words.count(one.parameters)})" for number, one in enumerate(space.landmarks, 1)]
    screen.print(Text(f"published, each with its own budget: {', '.join(marks)}", style="dim"))


def _rows(space: Space, depths: range) -> Iterator[Text]:
    """One line for some neighbouring widths, which shows the best of them."""
    widths, best = space.widths, space.best
    size = -(-len(widths) // MOST_ROWS)
    groups = [widths[start : start + size] for start in range(0, len(widths), size)]
    for group in reversed(groups):
        name = str(group[0]) if len(group) == 1 else f"{group[0]}+"
        line = Text(f"{name:>5}  ", style="dim")
        for depth in depths:
            here = [cell for cell in space.cells if cell.num_layers == depth and cell.hidden_size in group]
            marks = [
                str(number)
                for number, one in enumerate(space.landmarks, 1)
                if one.num_layers == depth and one.hidden_size in group
            ]
            shade = SHADES[min(map(space.shade, here))] if here else " "
            if best.num_layers == depth and best.hidden_size in group:
                line.append(BEST + (marks[0] if marks else " "), style="bold cyan")
            elif marks:
                line.append(marks[0], style="bold yellow").append(shade, style="cyan")
            else:
                line.append(shade * 2, style="cyan")
        yield line
