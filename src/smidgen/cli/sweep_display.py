"""What a sweep says in a terminal: the best settings, what mattered, and what others would expect elsewhere."""

from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from smidgen.reports.ablation.sweep import Sweep, shares_words, summary

INDENT = 2


def show_sweep(screen: Console, sweep: Sweep, *, is_summarised: bool) -> None:
    """``is_summarised`` where the summary stands above already."""
    if not is_summarised:
        screen.print(Text(summary(sweep)))
    if sweep.confirmed:
        named = ", ".join(f"{name} is trial {number}" for number, name in sweep.confirmed.items())
        screen.print(Text(f"Confirmed under other seeds: {named}."))
    if shares := shares_words(sweep):
        screen.print(Text(f"What the settings explain of the order of the trials: {shares}."))
    for message in sweep.boundary:
        screen.print(Text(f"note: {message}", style="yellow"))
    if sweep.rules:
        screen.print(Text("What to expect elsewhere, by rules of others for other sizes (docs/sweeps.md):"))
    for where, rules in groupby(sweep.rules, key=lambda rule: rule.where):
        screen.print(Padding(Text(where, style="dim"), (0, 0, 0, INDENT)))
        for rule in rules:
            said = f"{rule.key} {rule.value_words}".rstrip()
            screen.print(Padding(Text(f"{said}: {rule.rule} ({rule.source})"), (0, 0, 0, 2 * INDENT)))
