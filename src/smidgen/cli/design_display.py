"""What ``smidgen design`` shows in a terminal: the budget, what it costs, and what is wrong with it."""

import itertools
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from smidgen.cli.output import table
from smidgen.reports import words

BUDGET_WIDTH = 64
COLOURS = {
    "embedding": "yellow",
    "attention": "cyan",
    "feed_forward": "green",
    "norms": "magenta",
    "features": "red",
    "biases": "blue",
}
SEVERITY_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold"}


def show_design(screen: Console, summary: dict[str, Any], *, in_full: bool = True) -> None:
    """Everything, or in the course of a run the budget and the findings that are no notes."""
    _show_parameters(screen, summary)
    _show_operations(screen, summary)
    _show_memory(screen, summary["memory"])
    if in_full:
        screen.print()
        _show_files(screen, summary)
        screen.print()
        _show_speed(screen, summary["speed"])
        if "scale" in summary:
            screen.print()
            _show_scale(screen, summary["scale"])
        screen.print()
    notes = [finding for finding in summary["findings"] if finding["severity"] == "note"]
    _show_findings(screen, summary["findings"] if in_full else [f for f in summary["findings"] if f not in notes])
    if notes and not in_full:
        screen.print(f"{words.plural(len(notes), 'note')} on the design: smidgen design says more")
    if in_full and not summary["findings"]:
        screen.print("nothing found that speaks against this design")


def budget_bar(parts: dict[str, int], width: int = BUDGET_WIDTH) -> Text:
    """The parameters by part as one line; ends are rounded, so that all bars are equally long."""
    total = sum(parts.values())
    ends = [round(width * end / total) for end in itertools.accumulate(parts.values(), initial=0)]
    bar = Text()
    for part, (start, end) in zip(parts, itertools.pairwise(ends), strict=True):
        bar.append("━" * (end - start), style=COLOURS[part])
    return bar


def _show_parameters(screen: Console, summary: dict[str, Any]) -> None:
    parts = {part: number for part, number in summary["parameters"].items() if number and part != "total"}
    total = summary["parameters"]["total"]
    screen.print(Text(f"{summary['name']}: {total:,} parameters", style="bold"))
    screen.print(budget_bar(parts))
    shown = table("", "parameters", "share")
    for part, number in parts.items():
        name = Text("━ ", style=COLOURS[part]).append(_spoken(part), style="default")
        shown.add_row(name, f"{number:,}", words.percent(number / total))
    screen.print(shown)


def _show_operations(screen: Console, summary: dict[str, Any]) -> None:
    forward, training = summary["flops_per_token"]["forward"], summary["flops_per_token"]["training"]
    shares = [
        f"{_spoken(part)} {words.percent(number / forward, 0)}"
        for part, number in summary["flops_by_part"]["forward"].items()
        if number
    ]
    screen.print(
        f"operations per token at a full context: {words.count(forward)} forward, {words.count(training)} training "
        f"({', '.join(shares)}); {words.count(summary['needed_training_flops'])} without what is masked"
    )


def _show_memory(screen: Console, memory: dict[str, Any]) -> None:
    held = _sizes(memory, ("weights", "gradients", "optimizer"))
    if "peak_bytes" in memory:
        screen.print(
            f"training on a CPU: {words.size(memory['peak_bytes'])} at most ({held}, "
            f"{_sizes(memory, ('saving', 'activations', 'process'))}; {memory['pass_tokens']:,} tokens a pass)"
        )
    else:
        screen.print(f"training: {words.size(memory['training_bytes'])} and activations ({held})")
    tokens = memory["kv_cache_bytes"] // memory["kv_cache_bytes_per_token"]
    screen.print(
        f"inference: weights {words.size(memory['weights_float32_bytes'])} in float32, "
        f"{words.size(memory['weights_bfloat16_bytes'])} in bfloat16; cache of {tokens:,} tokens "
        f"{words.size(memory['kv_cache_bytes'])}"
    )


def _show_files(screen: Console, summary: dict[str, Any]) -> None:
    shown = table("file", "size", "bits per weight", "tensors", "")
    for column in (3, 4):
        shown.columns[column].justify = "left"
    for file in summary["files"]:
        types = ", ".join(f"{count} {kind}" for kind, count in file["types"].items())
        status = "" if file["status"] == "exists" else f"{file['status']}; "
        shown.add_row(
            file["format"],
            words.size(file["bytes"]),
            f"{file['bits_per_weight']:.4g}",
            types,
            f"{status}{file['note']}",
        )
    screen.print(shown)
    for refused in summary["refused"]:
        screen.print(f"no {refused['format']}: {refused['reason']}")


def _show_speed(screen: Console, rates: list[dict[str, Any]]) -> None:
    shown = table("training on", "tokens/s", "time", "known how", "")
    for column in (3, 4):
        shown.columns[column].justify = "left"
    for rate in rates:
        time = "" if rate["seconds"] is None else words.duration(rate["seconds"])
        shown.add_row(
            rate["name"],
            words.count(rate["tokens_per_second"]),
            time,
            rate["basis"],
            f"{rate['description']}: {rate['source']}",
        )
    screen.print(shown)


def _show_scale(screen: Console, plan: dict[str, Any]) -> None:
    screen.print(
        Text(f"{words.count(plan['tokens'])} tokens", style="bold").append(
            f": {words.size(plan['text_bytes'])} of text ({plan['bytes_per_token']} bytes a token, measured), "
            f"{words.size(plan['shard_bytes'])} of shards, "
            f"{words.duration(plan['tokenising_seconds'])} of tokenising on two cores ({plan['tokenising_basis']})",
            style="not bold",
        )
    )
    shown = table("on", "tokens/s", "time", "cost", "known how")
    shown.columns[4].justify = "left"
    for rate in plan["hardware"]:
        cost = "no price given" if rate["cost"] is None else f"{rate['cost']:,.2f}"
        speed, time = words.count(rate["tokens_per_second"]), words.duration(rate["seconds"])
        shown.add_row(rate["name"], speed, time, cost, rate["basis"])
    screen.print(shown)
    screen.print(Text('a "roofline" is a ceiling: it takes at least that long', style="dim"))


def _show_findings(screen: Console, findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        line = Text(finding["severity"], style=SEVERITY_STYLES[finding["severity"]])
        screen.print(line.append(f" {finding['code']}: {finding['message']}", style="not bold default"))
        if finding["suggestion"]:
            screen.print(Padding(Text(f"change: {finding['suggestion']}"), (0, 0, 0, 2)))
        for item in finding["sources"]:
            reason = f"{item['side']}: {item['text']} ({item['source']}; {item['strength']})"
            screen.print(Padding(Text(reason, style="dim"), (0, 0, 0, 2)))


def _sizes(memory: dict[str, Any], names: Iterable[str]) -> str:
    spoken = {"optimizer": "optimiser", "saving": "saving and looking", "process": "the process itself"}
    return ", ".join(f"{spoken.get(name, name)} {words.size(memory[f'{name}_bytes'])}" for name in names)


def _spoken(part: str) -> str:
    return part.replace("feed_forward", "feed-forward").replace("_", " ")
