"""How many ids the tokenizer of a model of others can give."""

import json
from pathlib import Path


def entries_beside(config: Path) -> int | None:
    """One more than the highest id of the ``tokenizer.json`` beside a ``config.json``; None where there is none.

    A file that cannot be read is none: what is asked about is the design.
    """
    try:
        values = json.loads(config.with_name("tokenizer.json").read_text(encoding="utf-8"))
        vocabulary = values["model"]["vocab"]
        # A unigram model lists its entries, others map them to ids.
        ids = list(range(len(vocabulary))) if isinstance(vocabulary, list) else list(vocabulary.values())
        return 1 + max([*ids, *(token["id"] for token in values.get("added_tokens") or [])])
    except (OSError, ValueError, KeyError, TypeError):
        return None
