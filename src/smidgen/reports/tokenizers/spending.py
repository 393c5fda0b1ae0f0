"""What tokens are spent on, as bars: as long as the tokens that a text takes, cut by kind."""

from collections.abc import Iterable, Mapping

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.labelled_bars import Row, Segment
from smidgen.reports.stored.tokenizer import TokenizerQuality
from smidgen.tokenization.quality.token_kind import TokenKind

TITLE = "Tokens for 1,000 bytes of text, by what they are spent on"
# So many bytes of text a bar stands for.
TEXT_BYTES = 1000

Spent = Mapping[str, Mapping[str, float]]


def colour_of(kind: str) -> str:
    """The same colour for a kind on every page."""
    return svg.series(list(TokenKind).index(TokenKind(kind)))


def spending_row(label: str, spent: Spent, bytes_per_token: float) -> Row:
    """Tokens for 1,000 bytes of a text."""
    total = TEXT_BYTES / bytes_per_token if bytes_per_token else 0.0
    return Row(
        label=label,
        words=f"{total:.0f}",
        segments=tuple(
            Segment(value=total * found["tokens"], colour=colour_of(kind), tip=_tip(label, kind, found))
            for kind, found in spent.items()
        ),
    )


def rows_of(quality: TokenizerQuality | None) -> list[Row]:
    """One for each domain of a run whose spending was measured."""
    if quality is None:
        return []
    return [
        spending_row(domain, spent, quality.bytes_per_token[domain])
        for domain, spent in quality.spent_by_domain.items()
        if spent and quality.bytes_per_token.get(domain)
    ]


def kinds_in(all_spent: Iterable[Spent]) -> list[tuple[str, str]]:
    """The kinds that occur, with their colours, for a key."""
    present = {kind for spent in all_spent for kind in spent}
    return [(str(kind), colour_of(kind)) for kind in TokenKind if kind in present]


def _tip(label: str, kind: str, found: Mapping[str, float]) -> str:
    return f"{label}\n{kind}: {words.percent(found['tokens'])} of tokens, {words.percent(found['bytes'])} of bytes"
