"""What a person sees of a study of sampling settings."""

from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.output import table
from smidgen.reports.samplers import setting_words as spoken

# The page has them all.
MOST_ROWS = 12


def show_samplers(screen: Console, result: dict[str, Any]) -> None:
    """Real text, the advice of cards, and of the rest those that loop and garble least; then what is recommended."""
    shown = table("setting", *spoken.SHOWN.values())
    _add(shown, "real text", result["real_text"])
    named = [one for one in result["settings"] if one["names"]]
    others = sorted(
        (one for one in result["settings"] if not one["names"]),
        key=lambda one: (one["loop_rate"], one["garble"] or 0),
    )
    for one in [*named, *others[:MOST_ROWS]]:
        by = f" ({', '.join(one['names'])})" if one["names"] else ""
        _add(shown, spoken.setting_words(one) + by, one)
    screen.print(shown)
    if len(others) > MOST_ROWS:
        screen.print(f"and {len(others) - MOST_ROWS} more settings, see the page or --json")
    screen.print(Text(f"recommended: {spoken.setting_words(result['recommended'])}", style="bold"))
    screen.print(f"{result['recommended']['why']}.")


def _add(shown: Any, name: str, one: dict[str, Any]) -> None:
    shown.add_row(name, *(spoken.value_with_interval(one, key) for key in spoken.SHOWN))
