"""Text of a run inside Markdown: as what it is, never as markup."""

import re
from typing import Any

# Everything that CommonMark, tables, formulas and raw HTML give a meaning to inside a line.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~$&])")
# GitHub and the hub turn bare addresses into links.
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(:)|\b(www)(\.)|(?<=\w)(@)(?=\w)")
_BACKTICKS = re.compile(r"`+")


class Markdown(str):
    """Text that is Markdown already and goes into the card as it is."""

    __slots__ = ()


def escaped(value: Any) -> Markdown:
    """A value for the inside of a line or a table cell; what is ``Markdown`` already stays."""
    if isinstance(value, Markdown):
        return value
    in_line = re.sub(r"\s+", " ", str(value))
    without_markup = _MARKUP.sub(r"\\\1", in_line)
    return Markdown(_ADDRESS.sub(_unlinked, without_markup))


def code(value: str) -> Markdown:
    """Inline code, outside of tables. Its fence is longer than any run of backticks in it."""
    in_line = " ".join(value.split())
    fence = "`" * (1 + _longest_run(in_line))
    space = " " if in_line.startswith("`") or in_line.endswith("`") else ""
    return Markdown(f"{fence}{space}{in_line}{space}{fence}" if in_line else "")


def block(value: str) -> Markdown:
    """A block of plain text, kept to the letter."""
    fence = "`" * max(3, 1 + _longest_run(value))
    return Markdown(f"{fence}text\n{value}\n{fence}")


def _longest_run(value: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(value)), default=0)


def _unlinked(match: re.Match[str]) -> str:
    scheme, colon, www, dot, at = match.groups()
    if at:
        return "\\@"
    return f"{scheme}\\{colon}" if scheme else f"{www}\\{dot}"
