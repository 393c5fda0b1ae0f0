"""Which format carries what, and how far its reader's logits are from ours: three kinds of model, four formats.

    python benchmarks/export_formats.py [--tokens 200000]

Trains the quickstart for a moment as it is (plain), with XSA, and with XSA and digit features, exports each, and
shows what the readers found: transformers, llama.cpp (the F32 file), onnxruntime, a headless browser.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from smidgen import api
from smidgen.errors import SmidgenError
from smidgen.export.formats import FORMATS
from smidgen.recipes.loading import load_recipe
from smidgen.user_cache import user_cache

XSA = ["design.xsa=true"]
DIGITS = [
    "design.place_vocab_size=66",
    "design.role_vocab_size=12",
    'tokenizer.digits="reversed"',
    "tokenizer.isolate_operators=true",
]
KINDS = {"plain": [], "XSA": XSA, "XSA and digit features": [*XSA, *DIGITS]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=200_000)
    arguments = parser.parse_args()
    screen = Console()
    table = Table("model", *FORMATS, title="Largest difference of two logits, or why it is refused")
    with tempfile.TemporaryDirectory(prefix="smidgen-formats-") as folder, screen.status("training") as status:
        for kind, changes in KINDS.items():
            status.update(f"training: {kind}")
            run = Path(folder) / kind
            recipe = load_recipe("quickstart", overrides=[*changes, f"training.tokens={arguments.tokens}"])
            api.train(recipe, run, cache=user_cache())
            cells = []
            for to in FORMATS:
                status.update(f"{kind}: {to}")
                cells.append(_outcome(run, Path(folder) / f"{kind}-{to}", to))
            table.add_row(kind, *cells)
    screen.print(table)


def _outcome(run: Path, out: Path, to: str) -> str:
    types: dict[str, Any] = {"types": ["F32"]} if to == "gguf" else {}
    try:
        record = api.export(run, out, to=to, **types)
    except SmidgenError as error:
        return f"refused: {error}"
    parity = record["parity"]
    return f"equal, {parity['max_abs_logit_diff']:.1e}" if parity else "not read back: " + "; ".join(record["notes"])


if __name__ == "__main__":
    main()
