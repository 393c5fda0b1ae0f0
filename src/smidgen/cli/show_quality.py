"""How the findings of ``smidgen data check`` look in a terminal."""

from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.output import table


def show_quality(screen: Console, result: dict[str, Any]) -> None:
    """What was looked at, what is rejected and why, and which tasks the text holds items of."""
    if result["shards"] is not None:
        screen.print(f"{result['shards']} shards with {result['tokens']:,} training tokens are whole")
        screen.print(f"{result['duplicates']:,} documents repeat an earlier one, token by token")
    else:
        screen.print(f"{result['documents']:,} documents with {result['text_bytes']:,} bytes of text")
    if result["rejected"]:
        shown = table("rejected for", "documents")
        for reason, count in result["rejected"].items():
            shown.add_row(reason, f"{count:,}")
        screen.print(shown)
    if result["contaminated"] is None:
        screen.print(Text("not compared with evaluation sets: give --eval-data or --tasks", style="dim"))
    elif not result["contaminated"]:
        screen.print("no item of the evaluation sets was found")
    else:
        shown = table("contaminated task", "items", "that can be found", "documents")
        for found in result["contaminated"]:
            shown.add_row(found["task"], f"{found['items']:,}", f"{found['testable']:,}", f"{found['documents']:,}")
        screen.print(shown)
    for task, reason in result.get("skipped", {}).items():
        screen.print(Text(f"skipped {task}: {reason}", style="dim"))
