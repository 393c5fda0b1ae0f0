"""One tokenizer, or several side by side, on one page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from smidgen.records import atomic
from smidgen.reports import words
from smidgen.reports.charts import budget_bar, labelled_bars, svg
from smidgen.reports.charts.labelled_bars import Row, Segment
from smidgen.reports.page import NARROW, WIDE, Chart, asset, content_policy, environment
from smidgen.reports.stored.design import StoredDesign
from smidgen.reports.summary import KeyFigure
from smidgen.reports.tokenizers import spending

BUDGET_WIDTH = 190
COMPRESSION_TITLE = "Bytes per token by domain, with 95% intervals; more is better"
# Pieces come with pictures of control characters, of which many fonts have none: the commonest are shown by arrows.
SIGNS = str.maketrans({" ": "·", "\u240a": "↵", "\u240d": "←", "\u2409": "⇥"})
# The same of the characters that stand for capitals.
MARKER_SIGNS = str.maketrans({"\u240e": "⇧", "\u240f": "⇪", "\u2410": "⎋"})
LINE_BREAK = "↵"

Described = Mapping[str, Any]


def write_tokenizer_page(
    rows: Sequence[Described], comparison: Mapping[str, Any] | None, out: Path, *, command: str
) -> Path:
    """Write the page of what ``smidgen.lab.tokenizers.comparison`` returns, and return its path.

    ``comparison`` is None for one tokenizer; ``command`` is what the page says made it.
    """
    atomic.write_text(out, render(rows, comparison, command=command))
    return out


def render(rows: Sequence[Described], comparison: Mapping[str, Any] | None, *, command: str) -> str:
    style, script = asset("page.css") + asset("tokenizers.css"), asset("page.js")
    spent = [row["spent"] for row in rows]
    parts = list(dict.fromkeys(part for row in rows for part in row["equal_parameters"].get("parts", {})))
    return (
        environment()
        .get_template("tokenizers.html.jinja")
        .render(
            title=_title(rows),
            summary=_summary(rows, comparison),
            key_figures=_key_figures(rows),
            rows=rows,
            domains=list(rows[0]["bytes_per_token_intervals"]),
            differences=comparison["differences"] if comparison else [],
            costs=comparison["training_cost_of_the_same_text"] if comparison else {},
            compression_chart=_both(COMPRESSION_TITLE, _compression(rows)),
            spending_chart=_both(spending.TITLE, _spending(rows)),
            kinds=spending.kinds_in(spent),
            samples=[_pieces(row) for row in rows],
            sample_kinds=spending.kinds_in([{one["kind"]: {}} for row in rows for one in row["sample"]["pieces"]]),
            line_break=LINE_BREAK,
            has_markers=any("case markers" in one for one in spent),
            budgets=[_budget(row["equal_parameters"]) for row in rows],
            parts=[(part.replace("_", " "), svg.series(number)) for number, part in enumerate(parts)],
            notes=[(row["name"], note) for row in rows for note in row["notes"]],
            ratio_words=ratio_words,
            command=command,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def ratio_words(ratio: Mapping[str, float | None]) -> str:
    """A multiple as a change: "−3.1% (−3.4% to −2.8%)"."""
    if ratio["low"] is None:
        return _change(ratio["value"])
    return f"{_change(ratio['value'])} ({_change(ratio['low'])} to {_change(ratio['high'])})"


def _change(multiple: float | None) -> str:
    assert multiple is not None
    return f"{100 * (multiple - 1):+.1f}%".replace("-", words.MINUS)


def _title(rows: Sequence[Described]) -> str:
    names = [row["name"] for row in rows]
    if len(names) == 1:
        return names[0]
    return f"{names[0]} against {names[1]}" if len(names) == 2 else f"{len(names)} tokenizers"


def _summary(rows: Sequence[Described], comparison: Mapping[str, Any] | None) -> str:
    if comparison is None:
        overall = (
            list(rows[0]["bytes_per_token_intervals"].values())[-1] if rows[0]["bytes_per_token_intervals"] else {}
        )
        held = f" A token holds {overall['value']:.2f} bytes of this text." if overall else ""
        return f"A vocabulary of {words.exact(rows[0]['vocab_size'])}.{held}"
    # Of each pair the last difference is that over all text.
    overall = {one["b"]: one for one in comparison["differences"]}
    found = [f"{name} {_difference_words(one)}" for name, one in overall.items()]
    return f"For the same text as {comparison['against']}, {words.listing(found)}." if found else ""


def _difference_words(one: Mapping[str, Any]) -> str:
    ratio = one["tokens_ratio"]["value"]
    if one["verdict"] == "not distinguishable":
        return "needs as many tokens, as far as this text tells"
    return f"needs {abs(100 * (ratio - 1)):.1f}% {one['verdict']}"


def _key_figures(rows: Sequence[Described]) -> list[KeyFigure]:
    if len(rows) > 1:
        return []
    [row] = rows
    model = row["equal_parameters"]
    return [
        KeyFigure(name="Entries", value=words.exact(row["vocab_size"]), note=""),
        KeyFigure(
            name="Of the model",
            value=words.percent(model["embedding_share"]),
            note=f"of the {words.count(model['budget'])} parameters of {model['recipe']}",
        ),
        KeyFigure(
            name="Unused", value=words.exact(row["unused"]), note=f"{row['unused_bytes']} of them single bytes"
        ),
        KeyFigure(
            name="Used as", value=words.exact(round(row["effective_vocab_size"])), note="equally common tokens"
        ),
        KeyFigure(name="Round trips", value=f"{words.exact(row['roundtrip_failures'])} failed", note="of all texts"),
    ]


def _compression(rows: Sequence[Described]) -> list[Row]:
    found = []
    for domain in rows[0]["bytes_per_token_intervals"]:
        if len(rows) > 1:
            found.append(Row(label=domain))
        for number, row in enumerate(rows):
            found.append(_compression_row(row, domain, is_first=number == 0 and len(rows) > 1, alone=len(rows) == 1))
    return found


def _compression_row(row: Described, domain: str, *, is_first: bool, alone: bool) -> Row:
    interval = row["bytes_per_token_intervals"][domain]
    label = domain if alone else row["name"]
    read = f"{interval['value']:.3f} bytes per token"
    if interval["low"] is not None:
        read += f", 95% interval {interval['low']:.3f} to {interval['high']:.3f}"
    # The one that the others are held against is the quiet one.
    segment = Segment(
        value=interval["value"], colour="other" if is_first else "own", tip=f"{row['name']}, {domain}\n{read}"
    )
    return Row(
        label=label, segments=(segment,), words=f"{interval['value']:.2f}", low=interval["low"], high=interval["high"]
    )


def _spending(rows: Sequence[Described]) -> list[Row]:
    """By tokenizer; of one alone by domain as well."""
    if len(rows) == 1:
        [row] = rows
        named = [
            (name, found, row["bytes_per_token"][name]) for name, found in row["spent_by_domain"].items() if found
        ]
        return [spending.spending_row(*one) for one in named]
    return [spending.spending_row(row["name"], row["spent"], _overall(row)) for row in rows]


def _overall(row: Described) -> float:
    return sum(row["text_bytes"].values()) / max(1, sum(row["tokens"].values()))


def _pieces(row: Described) -> list[tuple[str, str, str]]:
    """Piece, kind and colour of each token of the sample."""
    has_markers = "case markers" in row["spent"]
    return [
        (_readable(one["piece"], has_markers), one["kind"], spending.colour_of(one["kind"]))
        for one in row["sample"]["pieces"]
    ]


def _readable(piece: str, has_markers: bool) -> str:
    return piece.translate(SIGNS).translate(MARKER_SIGNS if has_markers else {})


def _budget(model: Mapping[str, Any]) -> Markup | None:
    if model["refused"]:
        return None
    design = StoredDesign(
        total=model["parameters"], parts=dict(model["parts"]), flops_per_token={}, memory={}, findings=()
    )
    return budget_bar.draw(design, BUDGET_WIDTH)


def _both(title: str, rows: list[Row]) -> Chart | None:
    if not rows:
        return None
    return Chart(labelled_bars.draw(title, rows, WIDE), labelled_bars.draw(title, rows, NARROW))
