"""The "installed-docs" source: English prose from the docstrings already on the machine.

Nothing is imported and one file is parsed (`TOPICS`): a scanner of strings and comments finds the triple-quoted
strings that begin a line, code is cut out of them, and what remains is kept when it reads as English.
Measured on Python 3.11, torch 2.13, two cores, files in memory: 14.9 MB in 3,640 documents after 4.2 s with
two workers, 7 s with one. Of 23,500 docstrings of several lines that `ast` finds in the default packages
(every eighth file of torch), the scanner did not give 14 word for word.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import zstandard

from smidgen.data.document import Document
from smidgen.errors import BadInput

# Part of the cache's name: raise it with every change that alters the text.
EXTRACTOR_VERSION = 1

STANDARD_LIBRARY = "python"

# Distributions that our core dependencies bring on every platform, so that the text does not depend on
# what else is installed. Left out although usually present: setuptools and anyio (they come and go with
# versions of torch and huggingface-hub), click (typer no longer needs it). The first six give 12 of 15 MB.
DEFAULT_PACKAGES: tuple[str, ...] = (
    STANDARD_LIBRARY,
    "torch",
    "sympy",
    "networkx",
    "numpy",
    "matplotlib",
    "huggingface-hub",
    "fonttools",
    "pydantic",
    "mpmath",
    "rich",
    "pillow",
    "fsspec",
    "pygments",
    "pyparsing",
    "pyarrow",
    "jinja2",
    "packaging",
    "typer",
    "filelock",
    "python-dateutil",
    "contourpy",
    "tqdm",
    "markdown-it-py",
    "safetensors",
    "tokenizers",
)

# Where the import name is not the distribution's name with underscores.
IMPORT_NAMES: dict[str, tuple[str, ...]] = {
    "beautifulsoup4": ("bs4",),
    "fonttools": ("fontTools",),
    "markdown-it-py": ("markdown_it",),
    "matplotlib": ("matplotlib", "mpl_toolkits"),
    "pillow": ("PIL",),
    "python-dateutil": ("dateutil",),
    "pyyaml": ("yaml",),
    "scikit-learn": ("sklearn",),
}

# Tests hold code, not prose. The rest is missing from the standard library of some distributors
# (Debian splits it), and would make the text depend on the vendor.
SKIPPED_FOLDERS = frozenset(
    {
        "__pycache__",
        "_pyrepl",
        "_vendor",
        "dist-packages",
        "distutils",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "site-packages",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
        "venv",
    }
)

# Assumed: the span of one document. A file's docstrings resemble each other, so a file stays on one side
# of the held-out split; only the few giants (torch/_torch_docs.py: 0.4 MB) are cut, or the fate of one file
# would decide the split.
PART_CHARACTERS = 32_768
SMALLEST_FILE_CHARACTERS = 200
SMALLEST_DOCSTRING_WORDS = 5
# Shorter paragraphs recur by right ("Returns the new graph."); longer ones are copies.
REPEATED_PARAGRAPH_CHARACTERS = 100

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

TOPICS = "pydoc_data/topics.py"

# What a worker runs. Not multiprocessing: its spawn runs the caller's main script again, which breaks
# scripts without a guard, and its fork copies the threads that torch has started.
WORKER = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request['search_path'];"
    "from smidgen.data import installed_docs; installed_docs.answer_request(request)"
)


# A source file by the stable name that its documents carry ("torch/nn/functional.py").
Source = tuple[str, str]


def installed_documents(
    *, packages: Sequence[str] = DEFAULT_PACKAGES, cache: Path | None = None, workers: int = 2
) -> Iterator[Document]:
    """Yield the documentation of ``packages`` in an order that depends on their names only.

    A package that is not installed is left out (`documentation_versions` tells which were found).
    ``cache`` is a folder in which the text is kept for these packages, versions and this extractor.
    """
    versions = documentation_versions(packages)
    if not versions:
        raise BadInput(
            f"None of the packages {', '.join(packages) or '(an empty list)'} is installed; "
            f"name installed distributions, or '{STANDARD_LIBRARY}' for the standard library."
        )
    path = cache / _cache_name(versions) if cache else None
    documents = _read_cache(path) if path else None
    if documents is None:
        documents = _extract(sorted(versions), workers)
        if path:
            _write_cache(path, documents)
    yield from documents


def documentation_versions(packages: Sequence[str] = DEFAULT_PACKAGES) -> dict[str, str]:
    """Return the version of each package that is installed, by name."""
    versions = {}
    for package in sorted(set(packages)):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", package):
            raise BadInput(f"{package!r} is not the name of a distribution; one looks like 'huggingface-hub'.")
        if package == STANDARD_LIBRARY:
            versions[package] = platform.python_version()
            continue
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


# Finding the files


def _sources(packages: Iterable[str]) -> list[Source]:
    sources = [source for package in packages for root in _roots(package) for source in _walk(root)]
    return sorted(set(sources))


def _roots(package: str) -> list[tuple[str, Path]]:
    """Return the folders or files of a package, each with the prefix that its names get."""
    if package == STANDARD_LIBRARY:
        return [("", Path(sysconfig.get_paths()["stdlib"]))]
    roots = []
    for name in IMPORT_NAMES.get(package, (package.replace("-", "_"),)):
        spec = importlib.util.find_spec(name)  # a name without a dot: finds, imports nothing
        if spec is None:
            continue
        if spec.submodule_search_locations is not None:
            roots += [(f"{name}/", Path(folder)) for folder in spec.submodule_search_locations]
        elif spec.origin and spec.origin.endswith(".py"):
            roots.append(("", Path(spec.origin)))
    return roots


def _walk(root: tuple[str, Path]) -> Iterator[Source]:
    prefix, path = root
    if path.is_file():
        yield path.name, str(path)
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and name.isidentifier()]
        inside = Path(folder).relative_to(path)
        yield from (
            (prefix + (inside / name).as_posix(), str(Path(folder, name))) for name in files if name.endswith(".py")
        )


# From files to documents


def _extract(packages: Sequence[str], workers: int) -> list[Document]:
    sources = _sources(packages)
    seen: set[bytes] = set()
    documents: list[Document] = []
    for (name, _), docstrings in zip(sources, _read_all([p for _, p in sources], workers), strict=True):
        documents += _documents_of(name, _unseen(docstrings, seen))
    return documents


def _read_all(paths: list[str], workers: int) -> list[list[str]]:
    """Read the files in ``workers`` processes; the result does not depend on their number."""
    if workers < 2 or not sys.executable:
        return [file_docstrings(path) for path in paths]
    shares = [paths[worker::workers] for worker in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        answers = list(pool.map(_ask_worker, shares))
    return [answers[index % workers][index // workers] for index in range(len(paths))]


def _ask_worker(paths: list[str]) -> list[list[str]]:
    request = json.dumps({"search_path": sys.path, "paths": paths}).encode()
    command = [sys.executable, "-c", WORKER]
    try:
        done = subprocess.run(command, input=request, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # a sandbox, say: the same text, only later
        return [file_docstrings(path) for path in paths]
    return json.loads(done.stdout)


def answer_request(request: dict[str, list[str]]) -> None:
    """Print the docstrings of the files asked for: the worker's side of `_ask_worker`."""
    json.dump([file_docstrings(path) for path in request["paths"]], sys.stdout)


def _unseen(docstrings: list[str], seen: set[bytes]) -> list[str]:
    """Drop docstrings, and long paragraphs of docstrings, that came before; remember the others."""
    kept = []
    for docstring in docstrings:
        if not _is_new(docstring, seen):
            continue
        paragraphs = docstring.split("\n\n")
        if len(paragraphs) > 1:
            paragraphs = [p for p in paragraphs if len(p) < REPEATED_PARAGRAPH_CHARACTERS or _is_new(p, seen)]
        text = "\n\n".join(paragraphs)
        if len(text) * 2 > len(docstring):  # less than half is headings without their sections
            kept.append(text)
    return kept


def _is_new(text: str, seen: set[bytes]) -> bool:
    digest = hashlib.blake2b(" ".join(text.lower().split()).encode(), digest_size=12).digest()
    if digest in seen:
        return False
    seen.add(digest)
    return True


def _documents_of(name: str, docstrings: list[str]) -> Iterator[Document]:
    """Join a file's docstrings to documents of about `PART_CHARACTERS`, cut between docstrings."""
    parts: list[list[str]] = [[]]
    room = PART_CHARACTERS
    for docstring in docstrings:
        if room < len(docstring) and parts[-1]:
            parts.append([])
            room = PART_CHARACTERS
        parts[-1].append(docstring)
        room -= len(docstring)
    for number, part in enumerate(parts, start=1):
        text = "\n\n".join(part)
        if len(text) >= SMALLEST_FILE_CHARACTERS:
            yield Document(id=f"{name}#{number}", text=text + "\n")


# From one file to its docstrings


def file_docstrings(path: str) -> list[str]:
    """Return the readable docstrings of a file in order; an unreadable file has none."""
    try:
        source = Path(path).read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return []
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    strings = _topics(source) if Path(path).as_posix().endswith(TOPICS) else _triple_quoted(source)
    return [text for text in map(readable, strings) if text]


def _topics(source: str) -> list[str]:
    """Return the chapters of the language reference that the standard library keeps as a dictionary."""
    try:
        assignment = ast.parse(source).body[-1]
        chapters = ast.literal_eval(assignment.value)  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, IndexError, AttributeError):
        return []
    return [chapters[name] for name in sorted(chapters)]


def _triple_quoted(source: str) -> Iterator[str]:
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


# From a docstring to prose


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


# The cache


def _cache_name(versions: dict[str, str]) -> str:
    key = json.dumps([EXTRACTOR_VERSION, sorted(versions.items())])
    return f"installed-docs-{hashlib.sha256(key.encode()).hexdigest()[:16]}.jsonl.zst"


def _read_cache(path: Path) -> list[Document] | None:
    """Return the documents of a cache file, or None when it is missing or damaged."""
    try:
        lines = zstandard.ZstdDecompressor().decompress(path.read_bytes()).decode().splitlines()
        return [Document(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, zstandard.ZstdError):
        return None


def _write_cache(path: Path, documents: list[Document]) -> None:
    lines = "".join(json.dumps({"id": d.id, "text": d.text}) + "\n" for d in documents)
    packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(lines.encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as temporary:
        temporary.write(packed)
    os.replace(temporary.name, path)
