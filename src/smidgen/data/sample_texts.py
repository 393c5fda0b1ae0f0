"""Training text for a tokenizer, which never sees what a build holds out or filters."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from smidgen.data.document import Document
from smidgen.data.quality.batches import batches
from smidgen.data.quality.filters import reject_reasons
from smidgen.data.sources import open_source
from smidgen.data.split import with_sides
from smidgen.recipes.mixture import DataSettings
from smidgen.recipes.quality import Limits


def sample_texts(recipe_data: DataSettings, *, bytes_wanted: int, seed: int, cache: Path | None) -> Iterator[str]:
    """Yield training text for a tokenizer: of each source its mean share of ``bytes_wanted``.

    The last document of a source is yielded whole; a source with less text than its share gives what it has.
    Documents that `build` would hold out, or filter, are left out. Raises ``BadInput`` as `build` does.
    """
    for name, share in recipe_data.mean_shares().items():
        wanted = math.ceil(share * bytes_wanted)
        yield from source_texts(recipe_data, name, bytes_wanted=wanted, seed=seed, cache=cache)


def source_texts(
    recipe_data: DataSettings, name: str, *, bytes_wanted: int, seed: int, cache: Path | None
) -> Iterator[str]:
    """Yield training text of one source, as `sample_texts` does of all."""
    source = recipe_data.sources[name]
    limits = recipe_data.quality.limits_in_force if source.is_text else Limits()
    with closing(open_source(name, source, seed=seed, cache=cache, rejected=Counter())) as documents:
        kept = _filtered(documents, limits)
        for document, held_out in with_sides(kept, recipe_data.held_out_fraction, source=f"source {name!r}"):
            if bytes_wanted <= 0:
                break
            if not held_out:
                bytes_wanted -= len(document.text.encode())
                yield document.text


def _filtered(documents: Iterator[Document], limits: Limits) -> Iterator[Document]:
    if not limits.given:
        yield from documents
        return
    for batch in batches(documents, lambda document: len(document.text)):
        reasons = reject_reasons([document.text for document in batch], limits)
        yield from (document for document, reason in zip(batch, reasons, strict=True) if not reason)
