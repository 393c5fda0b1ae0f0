"""One line about a finished ablation, in the file where somebody keeps what was tried."""

from datetime import date
from pathlib import Path
from typing import Any

from smidgen.errors import BadInput
from smidgen.records.atomic import disk_errors, make_directories
from smidgen.reports.ablation.answer import headline, told
from smidgen.reports.ablation.result import read_result

TITLE = "# Experiments\n\n"
# Of the fingerprint: enough to know the line again.
FINGERPRINT_CHARACTERS = 12


def append_to_log(result: dict[str, Any], log: Path) -> bool:
    """Add a dated line to a Markdown file; returns whether it did.

    Nothing is written of an ablation that is not finished, nor of the same one again. Raises ``BadInput`` for a file
    that cannot be read or written, ``OutOfResources`` when the disk is full.
    """
    if not result["finished"]:
        return False
    try:
        before = log.read_text("utf-8") if log.exists() else ""
        if _mark(result) in before:
            return False
        make_directories(log.absolute().parent)
        with disk_errors(log), log.open("a", encoding="utf-8") as file:
            file.write(("" if before.endswith("\n") else "\n" if before else TITLE) + log_line(result))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInput(f"--log {log} cannot be used ({reason}); give a Markdown file") from error
    return True


def log_line(result: dict[str, Any], day: date | None = None) -> str:
    """Date, question, verdicts, what was held equal, seeds, folder and fingerprint."""
    read = read_result(result, Path(result["run"]))
    verdicts = " ".join(one.sentence for one in told(read)) or headline(read)
    question = result["question"] or result["name"]
    end = "" if question.endswith(("?", ".", "!", ":")) else ":"
    return (
        f"* {day or date.today():%Y-%m-%d}, {question}{end} {verdicts} Base {result['base']}, "
        f"{result['budget']['sentence']}, seeds {', '.join(map(str, result['seeds']))}; `{result['run']}`, "
        f"{_mark(result)}.\n"
    )


def _mark(result: dict[str, Any]) -> str:
    return f"ablation {result['fingerprint'][:FINGERPRINT_CHARACTERS]}"
