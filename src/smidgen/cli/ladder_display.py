"""What a person sees of a ladder of GGUF files."""

from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.output import table
from smidgen.reports.ladder import rung_words

STYLES = {"as good": "green", "slightly worse": "yellow", "worse": "yellow", "scrambled": "red"}


def show_ladder(screen: Console, ladder: dict[str, Any]) -> None:
    """A row for each file, in words first; then scores, and the rule that the words follow."""
    shown = table("against F32", *rung_words.COLUMNS.values(), "")
    shown.columns[-1].justify = "left"
    for rung in ladder["rungs"]:
        name = Text(rung["type"], style="bold")
        shown.add_row(name, *rung_words.cells(rung).values(), Text(rung["verdict"], style=STYLES[rung["verdict"]]))
    screen.print(shown)
    for rung in ladder["rungs"]:
        screen.print(f"{rung['type']}: {rung_words.types_held(rung['types'])}; {rung['verdict']}: {rung['why']}")
        for score in rung_words.scores_of(rung, ladder["compared"]):
            judged = score["comparison"]
            screen.print(
                f"  {score['task']}, {score['metric']}: {score['value']:.4f} ({score['low']:.4f} to "
                f"{score['high']:.4f}){'; ' + judged['verdict'] if judged else ''}"
            )
    text = ladder["text"]
    screen.print(f"{text['tokens']:,} held-out tokens, {text['texts']} texts written. {ladder['rule']}")
