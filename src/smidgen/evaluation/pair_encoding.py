"""Context and continuation as token ids, split where lm-evaluation-harness splits them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smidgen.errors import BadInput
from smidgen.evaluation.request import Request
from smidgen.tokenization.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class PairNotes:
    """How many pairs could not be split as lm-evaluation-harness asks; it stops with an assertion at these.

    ``spanned``: a token of the joined text reaches from the context over all of the continuation, so the two were
    tokenised apart. ``blank_contexts``: the context is only white space, which moved to the continuation, so the
    prefix token stands before it as for an empty context.
    """

    spanned: int = 0
    blank_contexts: int = 0


def prefix_id(tokenizer: Tokenizer) -> int:
    """What stands before a text without context: BOS where the tokenizer has one, else the end of a text.

    ``HFLM`` of lm-evaluation-harness takes ``bos_token``, which an export without BOS sets to the end of a text.
    """
    return tokenizer.special_ids.get("bos", tokenizer.end_of_text_id)


def encode_pairs(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], *, jointly: bool = True
) -> tuple[list[Request], PairNotes]:
    """The ids of each (context, continuation), in the order given, and how many needed a fall-back.

    ``jointly`` is the rule of lm-evaluation-harness 0.4.13 (``TemplateLM._encode_pair``): white space that ends the
    context moves to the continuation, and the continuation is what the joined text has after as many tokens as the
    context alone has. Otherwise both are tokenised as they stand (ArithMark's own script). An empty context becomes
    the prefix token. Each distinct text is tokenised once.

    Control tokens spelt out in a text stay text, where transformers would read them as control tokens.

    Raises ``BadInput`` for a continuation without any text, and for lone surrogates.
    """
    if not jointly:
        return _encoded_apart(tokenizer, pairs), PairNotes()
    moved = [_with_moved_space(*pair) for pair in pairs]
    encoded = _encoded_jointly(tokenizer, moved)
    spanned = [index for index, pair in enumerate(encoded) if not pair.continuation]
    apart = _encoded_apart(tokenizer, [moved[index] for index in spanned])
    for index, pair in zip(spanned, apart, strict=True):
        encoded[index] = pair
    blank = sum(bool(context) and not context.strip() for context, _ in pairs)
    return encoded, PairNotes(spanned=len(spanned), blank_contexts=blank)


def _with_moved_space(context: str, continuation: str) -> tuple[str, str]:
    bare = context.rstrip()
    return bare, context[len(bare) :] + continuation


def _encoded_jointly(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[Request]:
    """May leave an empty continuation, see ``PairNotes``."""
    ids = _ids_of(tokenizer, (text for context, continuation in pairs for text in (context, context + continuation)))
    prefix = (prefix_id(tokenizer),)
    return [
        Request(ids[context] or prefix, ids[context + continuation][len(ids[context]) :])
        for context, continuation in pairs
    ]


def _encoded_apart(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[Request]:
    empty = next((context for context, continuation in pairs if not continuation), None)
    if empty is not None:
        raise BadInput(f'the continuation after "{empty[-60:]}" is empty: there is nothing to score')
    ids = _ids_of(tokenizer, (text for pair in pairs for text in pair))
    prefix = (prefix_id(tokenizer),)
    # What a tokenizer of others puts before every text (BOS) does not belong between two parts of one.
    added = len(tokenizer.encode(""))
    return [Request(ids[context][added:] or prefix, ids[continuation][added:]) for context, continuation in pairs]


def _ids_of(tokenizer: Tokenizer, texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, map(tuple, tokenizer.encode_batch(distinct)), strict=True))
