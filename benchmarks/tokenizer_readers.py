"""Do other programs give our ids to the same lines, and read the lines back? Family by family.

    make readers
    python benchmarks/tokenizer_readers.py [--data FILE ...] [--lines 5000] [--vocab-size 4096]

Half of the lines are made to tell readers apart (tests/tokenization/awkward_text.py), the others are text: of --data,
by default the documentation of the installed packages. Readers: transformers of this environment, version 4.57 in
.venv/transformers-4, each without and with the folder's own code, @huggingface/tokenizers under Node, and llama.cpp
where it has a name for the splits. One that is not installed is left out.
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.tokenization.awkward_text import awkward_texts  # noqa: E402
from tests.tokenization.gguf_file import write_gguf  # noqa: E402
from tests.tokenization.kinds import KINDS  # noqa: E402

from smidgen.data.installed_docs import installed_documents  # noqa: E402
from smidgen.data.sources import read_documents  # noqa: E402 - texts and readers of the tests lie beside the package
from smidgen.export import travelling_code  # noqa: E402
from smidgen.export.hugging_face_config import tokenizer_config_json  # noqa: E402
from smidgen.records import atomic  # noqa: E402
from smidgen.tokenization.llama_cpp import pre_tokenizer_name  # noqa: E402
from smidgen.tokenization.tokenizer import Tokenizer  # noqa: E402
from smidgen.tokenization.training import train_tokenizer  # noqa: E402
from smidgen.user_cache import user_cache  # noqa: E402

READERS = ROOT / "tests" / "tokenization"
OLDER = Path(sys.prefix, "transformers-4", "bin", "python")
NODE, NODE_MODULES = shutil.which("node"), Path(sys.prefix, "node", "node_modules")
TRAINING_CHARACTERS, LONGEST_LINE = 12_000_000, 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="*", default=[], help="files of text")
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--vocab-size", type=int, default=4096)
    options = parser.parse_args()
    lines = text_lines(options.data)
    training = list(until(lines, TRAINING_CHARACTERS))
    # Control tokens in a text are recognised by JavaScript, whatever it is told.
    awkward = [text for text in awkward_texts(options.lines // 2, seed=11) if "<|endoftext|>" not in text]
    texts = [*awkward, *itertools.islice(lines, max(0, options.lines - len(awkward)))][: options.lines]
    size = sum(len(text.encode()) for text in texts) / 1e6
    table = Table(title=f"{len(texts):,} lines, {size:.2f} MB: lines with other ids / that come back as other text")
    table.add_column("family")
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, settings in KINDS.items():
            tokenizer = train_tokenizer(training, settings, options.vocab_size)
            found[kind] = dict(answers(tokenizer, texts, Path(folder, kind.replace(" ", "-"))))
            print(kind, found[kind], file=sys.stderr, flush=True)
    names = dict.fromkeys(name for row in found.values() for name in row)
    for name in names:
        table.add_column(name, justify="right")
    for kind, row in found.items():
        table.add_row(kind, *(row.get(name, "none") for name in names))
    Console(width=140).print(table)


def answers(tokenizer: Tokenizer, texts: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    """Each reader that is installed, and how many lines differ."""
    plain, with_code = folder / "plain", folder / "code"
    for each in (plain, with_code):
        tokenizer.save(each)
    config = with_code / "tokenizer_config.json"
    atomic.write_json(config, tokenizer_config_json(config, tokenizer))
    for name, content in travelling_code.tokenizer_files().items():
        atomic.write_text(with_code / name, content)
    by_transformers = READERS / "read_by_transformers.py"
    commands: dict[str, list[object]] = {
        "transformers": [sys.executable, by_transformers, plain],
        "with code": [sys.executable, by_transformers, with_code, "code"],
    }
    if OLDER.exists():
        commands["4.57"] = [OLDER, by_transformers, plain]
        commands["4.57 with code"] = [OLDER, by_transformers, with_code, "code"]
    if NODE and NODE_MODULES.is_dir():
        commands["JavaScript"] = [NODE, READERS / "read_by_node.cjs", NODE_MODULES, plain]
    if pre_tokenizer_name(tokenizer.definition.splits, tokenizer.definition.rules):
        write_gguf(tokenizer, folder / "vocabulary.gguf")
        commands["llama.cpp"] = [sys.executable, READERS / "read_by_llama_cpp.py", folder / "vocabulary.gguf"]
    ours = tokenizer.encode_batch(texts)
    for name, command in commands.items():
        theirs = asked(command, texts, folder)
        other_ids = sum(answer["ids"] != ids for answer, ids in zip(theirs, ours, strict=True))
        other_text = sum(answer["decoded"] != text for answer, text in zip(theirs, texts, strict=True))
        yield name, f"{other_ids} / {other_text}"


def asked(command: list[object], texts: list[str], folder: Path) -> list[dict]:
    environment = {**os.environ, "HF_MODULES_CACHE": str(folder / "modules"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        list(map(str, command)), input=json.dumps(texts), capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout)


def text_lines(paths: list[str]) -> Iterator[str]:
    """Lines of the texts, of several files by turns."""
    if paths:
        sources = [read_documents([path], text_key="text", rejected=Counter()) for path in paths]
    else:
        sources = [installed_documents(cache=user_cache())]
    for documents in itertools.zip_longest(*sources):
        for document in filter(None, documents):
            yield from (line[:LONGEST_LINE] for line in document.text.split("\n") if line)


def until(lines: Iterator[str], characters: int) -> Iterator[str]:
    for line in lines:
        yield line
        characters -= len(line)
        if characters <= 0:
            return


if __name__ == "__main__":
    main()
