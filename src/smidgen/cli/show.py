"""How results look in a terminal."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.ladder_display import show_ladder
from smidgen.cli.output import table
from smidgen.reports import words
from smidgen.reports.score_words import index_title
from smidgen.reports.stored.scores import is_shown

BITS_PER_BYTE, REAL_WORDS = "bits_per_byte", "real_words"


def show_tokenizer(screen: Console, quality: dict[str, Any]) -> None:
    """Size, bytes per token by domain, and what of the vocabulary goes unused."""
    shown = table(f"vocabulary of {quality['vocab_size']:,}", "bytes per token", "tokens")
    for domain, value in quality["bytes_per_token"].items():
        shown.add_row(domain, f"{value:.2f}", f"{quality['tokens'][domain]:,}")
    screen.print(shown)
    screen.print(
        f"{quality['unused']:,} entries unused and {quality['rare']:,} rare in this text; "
        f"{quality['roundtrip_failures']} round trips failed"
    )


def show_data(screen: Console, index: dict[str, Any]) -> None:
    """Sources with tokens, shares and epochs; what was rejected; warnings."""
    shown = table("source", "share", "training tokens", "epochs", "held out", "rejected", "from")
    shown.columns[6].justify = "left"
    for name, source in index["sources"].items():
        shown.add_row(
            name,
            words.percent(source["planned_share"]),
            f"{source['train_tokens']:,}",
            f"{source['epochs']:.2f}",
            words.size(source["held_out_text_bytes"]),
            f"{sum(source['rejected'].values()):,}",
            source["origin"],
        )
    screen.print(shown)
    for name, source in index["sources"].items():
        for earlier, count in source.get("duplicates_of", {}).items():
            screen.print(f"{count:,} documents of {name} stand in {earlier} already and were left out")
    for found in index.get("contaminated") or []:
        screen.print(f"{found['documents']:,} documents hold {found['items']:,} items of {found['task']}")
    for warning in (*index["warnings"], *index.get("notes", [])):
        screen.print(Text(f"note: {warning}", style="yellow"))


def show_scores(screen: Console, record: dict[str, Any]) -> None:
    """Every score with its interval beside what it must be held against; parts only as far as they can be read."""
    shown = table("score", "value", "95% interval", "items", "held against", "counted")
    for column in shown.columns[4:]:
        column.justify = "left"
    for task, metric, score in _readable(record):
        number = _number_of(metric)
        shown.add_row(
            _score_name(task, metric),
            number(score["value"]),
            f"{number(score['low'])} to {number(score['high'])}",
            f"{score['n']:,}",
            _floors(record["baselines"].get(task, {}), metric),
            _counts(score),
        )
    screen.print(shown)
    for name, index in record.get("indices", {}).items():
        screen.print(f"{index_title(name)}: {index['value']:.2f} ({index['low']:.2f} to {index['high']:.2f})")
    for warning in record.get("warnings", []):
        screen.print(Text(f"note: {warning}", style="yellow"))
    for task, reason in record["skipped"].items():
        screen.print(Text(f"skipped {task}: {reason}", style="dim"))


def _readable(record: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Task, metric and score: of a task all, of its parts the usual metric and free generation.

    Of a task with too many parts only the outer groups stay.
    """
    parts = Counter(task.partition("/")[0] for task in record["scores"] if "/" in task)
    for task, metrics in record["scores"].items():
        family, _, part = task.partition("/")
        if part and not is_shown(part, parts[family], record.get("outer_groups", {}).get(family, [])):
            continue
        usual = next(iter(metrics))
        for metric, score in metrics.items():
            if not part or metric in (usual, "exact_match"):
                yield task, metric, score


def _counts(score: dict[str, Any]) -> str:
    """Ties and cut contexts, where there are any."""
    found = {"ties": score.get("ties", 0), "cut on the left": score.get("truncated", 0)}
    return ", ".join(f"{count:,} {name}" for name, count in found.items() if count)


def _number_of(metric: str) -> Callable[[float], str]:
    if metric == BITS_PER_BYTE:
        return "{:.3f}".format
    return "{:,.2f}".format if metric.endswith("perplexity") else words.percent


def _score_name(task: str, metric: str) -> str:
    """The task, its parts indented below it, and the metric where the name does not say it."""
    if "/" in task:
        return f"  {task.partition('/')[2]}" + (", exact match" if metric == "exact_match" else "")
    return task if metric in ("acc", task.replace("-", "_")) else f"{task}, {metric.replace('_', ' ')}"


def _floors(baselines: dict[str, float], metric: str) -> str:
    """Compressors and real text all, of the rules of thumb chance and the best one.

    Nothing can be guessed where an answer is written freely.
    """
    number = _number_of(metric)
    if metric in (BITS_PER_BYTE, REAL_WORDS):
        return ", ".join(f"{name} {number(value)}" for name, value in baselines.items())
    if not metric.startswith("acc") or "chance" not in baselines:
        return ""
    best = max((name for name in baselines if name != "chance"), key=lambda name: baselines[name], default=None)
    rule = f", always the {best} {number(baselines[best])}" if best else ""
    return f"chance {number(baselines['chance'])}{rule}"


def show_export(screen: Console, record: dict[str, Any]) -> None:
    """Files with size and hash, and the proof."""
    shown = table(f"{record['format']}, {record['kind']}", "bytes", "sha256")
    for file in record["files"]:
        shown.add_row(file["name"], f"{file['bytes']:,}", file["sha256"][:12])
    screen.print(shown)
    if record["parity"]:
        parity = record["parity"]
        screen.print(
            f"read back: logits differ by at most {parity['max_abs_logit_diff']:.1e}, "
            f"KL {parity['kl']:.1e}, same top token {words.percent(parity['top1'])}"
        )
    for refused in record["refused"]:
        screen.print(f"no {refused['format']}: {refused['reason']}")
    if "ladder" in record:
        show_ladder(screen, record["ladder"])
    for note in record.get("notes", []):
        screen.print(f"note: {note}")
    if "upload" in record:
        show_upload(screen, record["upload"])


def show_upload(screen: Console, uploaded: dict[str, Any]) -> None:
    """What lies on the hub now, or would."""
    files, who = uploaded["files"], "only you" if uploaded["private"] else "everybody"
    sent = f"{words.plural(len(files), 'file')}, {words.size(sum(file['bytes'] for file in files))}"
    if uploaded["dry_run"]:
        names = words.listing([file["name"] for file in files])
        screen.print(f"would upload {sent} to {uploaded['repo']} for {who} to see: {names}")
        return
    screen.print(f"uploaded {sent} for {who} to see, and read back: {uploaded['url']} at {uploaded['commit'][:12]}")


def show_samples(screen: Console, record: dict[str, Any]) -> None:
    """Prompts in bold, continuations after them."""
    for sample in record["samples"]:
        text = Text()
        text.append(sample["prompt"], style="bold")
        text.append(sample["text"].rstrip())
        screen.print(text)
        screen.print()
