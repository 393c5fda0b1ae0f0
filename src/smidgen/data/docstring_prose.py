"""From a docstring to English prose: code is cut out of it, and what remains is kept when it reads as English."""

import inspect
import re
from collections.abc import Iterator

SMALLEST_DOCSTRING_WORDS = 5
# Directives whose body is code, a picture or a formula; of the others the body stays and the line goes,
# except for the admonitions, whose name introduces the body.
CODE_DIRECTIVES = (
    "autosummary bibtex code code-block currentmodule figure graph graphviz highlight image include index"
    " inheritance-diagram ipython literalinclude math plot plotly productionlist prompt raw sourcecode table"
    " tabularcolumns testcode testoutput testsetup toctree"
)
CODE_DIRECTIVE = re.compile(CODE_DIRECTIVES.replace(" ", "|"))
ADMONITIONS = {
    "attention": "Attention:",
    "caution": "Caution:",
    "hint": "Hint:",
    "important": "Important:",
    "note": "Note:",
    "seealso": "See also:",
    "tip": "Tip:",
    "warning": "Warning:",
}
DIRECTIVE = re.compile(r"\.\. ?(?:[\w-]+:)?([\w-]+)::[ ]?(.*)")
MAY_HOLD_CODE = re.compile(r">>>|```|~~~|::|^ *\.\. |^ *In \[", re.MULTILINE)

RULE = re.compile(r"^[ \t]*[-=~^*#\"'`+.|_ ]*[-=~^*#\"'`+.|_]{3}[ \t]*\n?", re.MULTILINE)
PLACEHOLDER_LINE = re.compile(r"^[ \t]*(?:\{\w*\}|%\(\w+\)s|\$\w+|%s)[ \t]*\n?", re.MULTILINE)
ROLE = re.compile(r":(?:[a-z]+:)?[a-z]+:`[~!]?([^`<]*?)(?:\s*<[^`>]*>)?`")
LINK = re.compile(
    r"`(?=[^\s,.)])([^`<]+?)(?:\s*<[^`>]*>)?`__?(?!\w)"  # `text`_ and `text <address>`_
    r"|\[([^\]]{1,120})\]\([^)\s]+\)"  # [text](address)
    r"|(\[\w+\])_(?!\w)"  # [1]_
)
FOOTNOTE = re.compile(r"^( *)\.\. (?=\[)", re.MULTILINE)
BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
LONELY_HEADING = re.compile(
    r"\s*(?:args|arguments|examples?|explanation|keyword arg(?:ument)?s|kwargs|notes?|parameters|references|returns?"
    r"|see also|usage|attributes|raises|yields|shape)\s*:*\s*",
    re.IGNORECASE,
)

CODE_LINE = re.compile(
    r"^\s*(?:def \w+\(|class \w+.*:$|import [\w.]+$|from [\w.]+ import |@\w|return \w+\(|#include|<\w+[ >]"
    r"|[\w.]+ = [\w.]+\()",
    re.MULTILINE,
)

LETTERS_AND_BLANKS = bytes(range(65, 91)) + bytes(range(97, 123)) + b" \n,.;"
# Prose of these packages measures 0.02-0.15, parameter lists up to 0.25, tables and code 0.3 and more.
LARGEST_SHARE_OF_SIGNS = 0.27
LARGEST_SHARE_OF_NON_ASCII = 0.05
LONGEST_WORD_CHARACTERS = 90
# Function words that are not also Python keywords, or code would pass for English.
ENGLISH_WORDS = (
    "a an any are at be been by can each has have it its may must of on only should than that the then there"
    " these they this to used was we when where which will you your"
)
ENGLISH = frozenset(ENGLISH_WORDS.split())
SMALLEST_SHARE_OF_ENGLISH = 0.06
WORD = re.compile(r"[A-Za-z]+")
LICENCE = re.compile(
    r"permission is hereby granted|licensed under|redistribution and use|the software is provided|"
    r"this software is provided|all rights reserved|copyright (?:\(c\)|©|\d)|spdx-|without warranty",
    re.IGNORECASE,
)


def readable(docstring: str) -> str:
    """Return the English of a docstring without code, markup and licences, or nothing."""
    text = inspect.cleandoc(docstring)
    if MAY_HOLD_CODE.search(text):
        text = "\n".join(_without_code(text.split("\n")))
    text = RULE.sub("", PLACEHOLDER_LINE.sub("", text))
    text = LINK.sub(r"\1\2\3", ROLE.sub(r"`\1`", FOOTNOTE.sub(r"\1", text))).replace("``", "`")
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    paragraphs = [p for p in BLANK_LINES.split(text.strip("\n")) if _is_readable_paragraph(p)]
    text = inspect.cleandoc("\n\n".join(paragraphs))
    return text if _is_english(text) else ""


def _without_code(lines: list[str]) -> Iterator[str]:
    """Leave out doctests, fenced blocks, literal blocks and the directives that hold code."""
    position = 0
    while position < len(lines):
        line = lines[position]
        bare = line.lstrip()
        indent = len(line) - len(bare)
        position += 1
        if bare.startswith((">>>", "In [")):
            position = _next_blank(lines, position)
        elif bare.startswith(("```", "~~~")):
            position = _after_fence(lines, position, bare[:3])
        elif bare.startswith(".. ") and not bare.startswith(".. ["):
            directive = DIRECTIVE.match(bare)
            if directive is None or CODE_DIRECTIVE.fullmatch(directive[1]):
                position = _after_block(lines, position, indent)
                yield ""
            elif directive[1] in ADMONITIONS:
                yield f"{' ' * indent}{ADMONITIONS[directive[1]]} {directive[2]}"
        elif bare.endswith("::"):
            position = _after_block(lines, position, indent)
            yield from (line[:-1], "")
        else:
            yield line


def _next_blank(lines: list[str], position: int) -> int:
    while position < len(lines) and lines[position].strip():
        position += 1
    return position


def _after_fence(lines: list[str], position: int, fence: str) -> int:
    while position < len(lines) and not lines[position].lstrip().startswith(fence):
        position += 1
    return position + 1


def _after_block(lines: list[str], position: int, indent: int) -> int:
    """Return the first line that is neither blank nor indented deeper than ``indent``."""
    while position < len(lines):
        bare = lines[position].lstrip()
        if bare and len(lines[position]) - len(bare) <= indent:
            break
        position += 1
    return position


def _is_readable_paragraph(paragraph: str) -> bool:
    raw = paragraph.encode(errors="replace")
    signs = len(raw.translate(None, LETTERS_AND_BLANKS))
    if not raw or signs > LARGEST_SHARE_OF_SIGNS * len(raw) or CODE_LINE.search(paragraph):
        return False
    if LONELY_HEADING.fullmatch(paragraph):
        return False
    if len(raw) - len(paragraph) > LARGEST_SHARE_OF_NON_ASCII * len(raw) or LICENCE.search(paragraph):
        return False
    words = paragraph.split()
    if len(words) == len(paragraph.splitlines()):  # a column of names or addresses
        return False
    return max(map(len, words)) <= LONGEST_WORD_CHARACTERS and _speaks_english(words)


def _speaks_english(words: list[str]) -> bool:
    """Say whether a paragraph long enough to judge holds any function word."""
    return len(words) < 15 or not ENGLISH.isdisjoint(word.lower() for word in words)


def _is_english(text: str) -> bool:
    words = WORD.findall(text.lower())
    if len(words) < SMALLEST_DOCSTRING_WORDS:
        return False
    return sum(word in ENGLISH for word in words) >= SMALLEST_SHARE_OF_ENGLISH * len(words)
