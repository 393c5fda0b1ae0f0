"""How results look in a terminal."""

from typing import Any

from rich.console import Console
from rich.text import Text

from smidgen.cli.output import table
from smidgen.reports import words

BAR_WIDTH = 32


def show_design(screen: Console, summary: dict[str, Any]) -> None:
    """The parameter budget as bars, the costs, and the findings."""
    parameters = dict(summary["parameters"])
    total = parameters.pop("total")
    shown = table(f"{summary['name']}: {total:,} parameters", "parameters", "share", "")
    shown.columns[3].justify = "left"
    for part, number in parameters.items():
        if number:
            bar = "━" * max(1, round(BAR_WIDTH * number / total))
            shown.add_row(
                part.replace("_", "-"), f"{number:,}", words.percent(number / total), Text(bar, style="cyan")
            )
    screen.print(shown)
    memory, operations = summary["memory"], summary["flops_per_token"]
    screen.print(
        f"training {words.count(operations['training'])}FLOP per token, "
        f"{words.size(memory['training_bytes'])} for weights, gradients and optimiser; "
        f"cache of a full context {words.size(memory['kv_cache_bytes'])}"
    )
    for finding in summary["findings"]:
        screen.print(f"{finding['severity']}: {finding['message']}. {finding['suggestion']}.")
        screen.print(Text(f"  evidence: {finding['evidence']}", style="dim"))


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
    shown = table("source", "share", "training tokens", "epochs", "held-out documents", "rejected", "from")
    shown.columns[6].justify = "left"
    for name, source in index["sources"].items():
        shown.add_row(
            name,
            words.percent(source["planned_share"]),
            f"{source['train_tokens']:,}",
            f"{source['epochs']:.2f}",
            f"{source['documents']['held_out']:,}",
            f"{sum(source['rejected'].values()):,}",
            source["origin"],
        )
    screen.print(shown)
    for warning in index["warnings"]:
        screen.print(Text(f"note: {warning}", style="yellow"))


def show_scores(screen: Console, record: dict[str, Any]) -> None:
    """Every score with its interval beside its baselines."""
    shown = table("task", "metric", "score", "95% interval", "items", "baselines")
    shown.columns[1].justify = shown.columns[5].justify = "left"
    for task, metrics in record["scores"].items():
        part = "/" in task
        for metric, score in metrics.items():
            number = (lambda value: f"{value:.3f}") if metric == "bits_per_byte" else words.percent
            baselines = record["baselines"].get(task, {})
            compares = metric in ("acc", "bits_per_byte")
            shown.add_row(
                f"  {task.partition('/')[2]}" if part else task,
                metric.replace("_", " "),
                number(score["value"]),
                f"{number(score['low'])} to {number(score['high'])}",
                f"{score['n']:,}",
                ", ".join(f"{name} {number(value)}" for name, value in baselines.items()) if compares else "",
            )
    screen.print(shown)
    for task, reason in record["skipped"].items():
        screen.print(Text(f"skipped {task}: {reason}", style="dim"))


def show_export(screen: Console, record: dict[str, Any]) -> None:
    """Files with size and hash, and the proof."""
    shown = table(f"Hugging Face folder, {record['kind']}", "bytes", "sha256")
    for file in record["files"]:
        shown.add_row(file["name"], f"{file['bytes']:,}", file["sha256"][:12])
    screen.print(shown)
    if record["parity"]:
        parity = record["parity"]
        screen.print(
            f"read back with transformers: logits differ by at most {parity['max_abs_logit_diff']:.1e}, "
            f"KL {parity['kl']:.1e}, same top token {words.percent(parity['top1'])}"
        )
    for note in record.get("notes", []):
        screen.print(f"note: {note}")


def show_samples(screen: Console, record: dict[str, Any]) -> None:
    """Prompts in bold, continuations after them."""
    for sample in record["samples"]:
        text = Text()
        text.append(sample["prompt"], style="bold")
        text.append(sample["text"].rstrip())
        screen.print(text)
        screen.print()
