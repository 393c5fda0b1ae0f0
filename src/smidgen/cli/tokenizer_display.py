"""What ``smidgen tokenizer inspect`` shows in a terminal: one tokenizer, or several in columns side by side."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.output import table
from smidgen.reports import words

Row = dict[str, Any]
Line = tuple[str, Callable[[Row], str]]
# Longer ones are cut so that a terminal holds several columns.
MOST_EXAMPLES = 8


def show_tokenizers(screen: Console, rows: Sequence[Row], comparison: dict[str, Any] | None = None) -> None:
    """All figures; with a ``comparison`` also who needs fewer tokens, as far as that is certain."""
    screen.print(Text(f"measured on {_texts(rows[0])}", style="dim"))
    _table(screen, "bytes per token", rows, _compression(rows))
    screen.print()
    _table(screen, "share of all tokens", rows, _spending(rows))
    screen.print()
    _table(screen, "vocabulary", rows, _vocabulary(rows))
    screen.print()
    first = rows[0]["equal_parameters"]
    _table(screen, f"in the {words.count(first['budget'])} parameters of {first['recipe']}", rows, _budget(rows))
    for row in rows:
        if row["equal_parameters"]["refused"]:
            screen.print(
                Text(f"no such model with {row['name']}: {row['equal_parameters']['refused']}", style="yellow")
            )
    if comparison is not None:
        screen.print()
        _show_differences(screen, comparison)
    _show_examples(screen, rows)
    for row in rows:
        for note in row["notes"]:
            screen.print(Text(f"note: {row['name']}: {note}", style="yellow"))


def _texts(row: Row) -> str:
    documents = row["documents"]
    return words.listing(
        [f"{words.size(size)} of {name} ({documents[name]:,} documents)" for name, size in row["text_bytes"].items()]
    )


def _table(screen: Console, title: str, rows: Sequence[Row], lines: Sequence[Line]) -> None:
    shown = table(title, *(row["name"] for row in rows))
    for name, figure in lines:
        shown.add_row(name, *(figure(row) for row in rows))
    screen.print(shown)


def _compression(rows: Sequence[Row]) -> list[Line]:
    def of(domain: str) -> Line:
        return domain, lambda row: _interval(row["bytes_per_token_intervals"][domain])

    return list(map(of, rows[0]["bytes_per_token_intervals"]))


def _interval(found: dict[str, float | None]) -> str:
    if found["low"] is None:
        return f"{found['value']:.3f}"
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _spending(rows: Sequence[Row]) -> list[Line]:
    def of(kind: str) -> Line:
        return kind, lambda row: _share(row["spent"].get(kind))

    return list(map(of, dict.fromkeys(kind for row in rows for kind in row["spent"])))


def _share(spent: dict[str, float] | None) -> str:
    return "" if spent is None else f"{words.percent(spent['tokens'])}, {words.percent(spent['bytes'])} of bytes"


def _vocabulary(rows: Sequence[Row]) -> list[Line]:
    return [
        ("entries", lambda row: f"{row['vocab_size']:,}"),
        ("unused", lambda row: _by_kind(row["unused_by_kind"])),
        ("rare, below 10 times", lambda row: _by_kind(row["rare_by_kind"])),
        ("the same but for capitals", lambda row: f"{row['same_but_for_case']['by_case']:,}"),
        ("the same but for a blank", lambda row: f"{row['same_but_for_case']['by_blank']:,}"),
        ("bits of entropy", lambda row: f"{row['entropy_bits']:.2f}"),
        ("effective vocabulary", lambda row: f"{row['effective_vocab_size']:,.0f}"),
        ("bits per byte by frequency alone", lambda row: f"{row['unigram_bits_per_byte']:.3f}"),
        ("Rényi efficiency", lambda row: f"{row['renyi_efficiency']:.3f}"),
        ("failed round trips", lambda row: f"{row['roundtrip_failures']:,}"),
        *map(_share_at, rows[0]["parameter_shares"]),
    ]


def _share_at(width: str) -> Line:
    return f"of a model {width} wide", lambda row: words.percent(row["parameter_shares"][width])


def _by_kind(counts: dict[str, int]) -> str:
    return f"{counts['merges']:,} merges, {counts['bytes']:,} bytes"


def _budget(rows: Sequence[Row]) -> list[Line]:
    def of_model(name: str, figure: Callable[[Any], str]) -> Callable[[Row], str]:
        return lambda row: figure(row["equal_parameters"][name]) if name in row["equal_parameters"] else "–"

    return [
        ("vocabulary", lambda row: words.percent(row["equal_parameters"]["embedding_share"])),
        ("left for the rest", lambda row: f"{max(0, row['equal_parameters']['left']):,}"),
        ("feed-forward width that fits", of_model("intermediate_size", "{:,}".format)),
        ("or layers that fit", lambda row: f"{row['equal_parameters']['num_layers_that_fit']}"),
        ("a context holds", of_model("context_bytes", words.size)),
        ("training on a byte", of_model("flops_per_byte", lambda flops: f"{words.count(flops['training'])}FLOP")),
    ]


def _show_differences(screen: Console, comparison: dict[str, Any]) -> None:
    shown = table(f"against {comparison['against']}", "on", "tokens for the same text", "documents", "")
    shown.columns[1].justify = shown.columns[4].justify = "left"
    for one in comparison["differences"]:
        ratio = one["tokens_ratio"]
        interval = "" if ratio["low"] is None else f" ({ratio['low'] - 1:+.2%} to {ratio['high'] - 1:+.2%})"
        change = f"{ratio['value'] - 1:+.2%}{interval}"
        shown.add_row(one["b"], one["domain"], change, f"{one['documents']:,}", one["verdict"])
    screen.print(shown)
    costs = [f"{name} {cost:.2f}" for name, cost in comparison["training_cost_of_the_same_text"].items()]
    if costs:
        screen.print(f"operations to train on the same text, at equal parameters: {', '.join(costs)}")


def _show_examples(screen: Console, rows: Sequence[Row]) -> None:
    for row in rows:
        screen.print()
        screen.print(Text(row["name"], style="bold"))
        examples = row["same_but_for_case"]["examples"][:MOST_EXAMPLES]
        if examples:
            screen.print(
                Text("spelt several times: ").append(_quoted(spelling for family in examples for spelling in family))
            )
        screen.print(Text("longest: ").append(_quoted(row["longest_tokens"][:MOST_EXAMPLES])))


def _quoted(pieces) -> str:
    return " ".join(f"“{piece}”" for piece in pieces)
