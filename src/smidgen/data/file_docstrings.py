"""The docstrings of one Python file, without importing or parsing it.

A scanner of strings and comments finds the triple-quoted strings that begin a line; of 23,500 docstrings of several
lines that `ast` finds in the default packages (every eighth file of torch) it did not give 14 word for word. One file
is parsed: `TOPICS`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from smidgen.data.docstring_prose import readable

TOPICS = "pydoc_data/topics.py"
# Strings and comments, so that a quote inside a comment opens nothing. Possessive repeats keep it linear.
LITERAL = re.compile(
    r"""\#[^\n]*
    | \"\"\" (?: [^"\\]++ | \\. | "(?!"") )*+ \"\"\"
    | ''' (?: [^'\\]++ | \\. | '(?!'') )*+ '''
    | " (?: [^"\\\n]++ | \\. )*+ "
    | ' (?: [^'\\\n]++ | \\. )*+ '""",
    re.DOTALL | re.VERBOSE,
)
ESCAPE = re.compile(r"\\(\n|[\\'\"ntr])")
ESCAPED = {"\n": "", "\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\n"}


def file_docstrings(path: str) -> list[str]:
    """Return the readable docstrings of a file in order; an unreadable file has none."""
    try:
        source = Path(path).read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return []
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    strings = _topics(source) if Path(path).as_posix().endswith(TOPICS) else triple_quoted(source)
    return [text for text in map(readable, strings) if text]


def _topics(source: str) -> list[str]:
    """Return the chapters of the language reference that the standard library keeps as a dictionary."""
    try:
        assignment = ast.parse(source).body[-1]
        chapters = ast.literal_eval(assignment.value)  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, IndexError, AttributeError):
        return []
    return [chapters[name] for name in sorted(chapters)]


def triple_quoted(source: str) -> Iterator[str]:
    """Yield the content of the triple-quoted strings that begin a line, escapes resolved."""
    if '"""' not in source and "'''" not in source:
        return
    for match in LITERAL.finditer(source):
        literal = match.group()
        if literal[:3] not in ('"""', "'''") or '"""' in literal[3:-3]:  # the latter is code put aside
            continue
        before = source[source.rfind("\n", 0, match.start()) + 1 : match.start()].strip().lower()
        if before in ("", "u"):
            yield ESCAPE.sub(lambda escape: ESCAPED[escape.group(1)], literal[3:-3])
        elif before == "r":
            yield literal[3:-3]
