"""Learning a vocabulary of an exact size from text."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain

from tokenizers import Tokenizer as BytePairEncoder
from tokenizers import models, trainers

from smidgen.errors import BadInput
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.byte_symbols import byte_symbols
from smidgen.tokenization.definition import Definition, special_added_tokens
from smidgen.tokenization.segments import segments
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules
from smidgen.tokenization.tokenizer import Tokenizer

# A pair that occurs once teaches nothing; 2 is also the default of ByteLevelBPETokenizer.
_MIN_FREQUENCY = 2
# Longer ones are lines of dashes and indentations, each at the price of a row of the embedding. The library stops
# below this number: 31 was the longest with tokenizers 0.21 to 0.23.
_MAX_TOKEN_BYTES = 32


def train_tokenizer(texts: Iterable[str], settings: TokenizerSettings, vocab_size: int) -> Tokenizer:
    """A tokenizer with exactly ``vocab_size`` entries: special tokens, 256 bytes, then merges by frequency.

    The texts are read once, as they come. The result depends on them and the settings, not on the number of threads
    or the order of the texts: only how often each pre-token occurs counts, and ties go to the lower ids.

    Raises ``BadInput`` when there is no text, when it supports fewer merges than wanted, when ``vocab_size`` is too
    small for the 256 bytes, and when a special token's name also comes out of ordinary text.
    """
    special = settings.special_tokens.present
    if vocab_size < 256 + len(special):
        raise BadInput(
            f"design.vocab_size={vocab_size} is too small for byte-level BPE: 256 bytes and {len(special)} special "
            f"tokens need {256 + len(special)}"
        )
    rules = TextRules(reverse_digits=settings.digits == "reversed", map_case=settings.case_mapping)
    splits = Splits.of(settings)
    encoder = BytePairEncoder(models.BPE())
    encoder.pre_tokenizer = splits.pre_tokenizer()
    rewritten = (rules.apply(text) for text in _not_empty(texts))
    encoder.train_from_iterator(
        (segment for text in rewritten for segment in segments(text)), _trainer(settings, vocab_size)
    )
    definition = _definition(encoder, settings, splits, rules)
    found = len(definition.tokens)
    if found < vocab_size:
        raise BadInput(
            f"the text supports a vocabulary of {found} entries, but design.vocab_size={vocab_size}: "
            f"set design.vocab_size={found} or smaller, or give more text"
        )
    return Tokenizer(definition)


def _not_empty(texts: Iterable[str]) -> Iterator[str]:
    filled = filter(None, texts)
    first = next(filled, None)
    if first is None:
        raise BadInput("there is no text to train the tokenizer on: every source is empty; give at least one text")
    return chain([first], filled)


def _trainer(settings: TokenizerSettings, vocab_size: int) -> trainers.BpeTrainer:
    return trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=_MIN_FREQUENCY,
        special_tokens=special_added_tokens(settings.special_tokens),
        initial_alphabet=list(byte_symbols()),
        max_token_length=_MAX_TOKEN_BYTES,
        show_progress=False,
    )


def _definition(
    encoder: BytePairEncoder, settings: TokenizerSettings, splits: Splits, rules: TextRules
) -> Definition:
    learned = json.loads(encoder.to_str())["model"]
    try:
        return Definition(
            special_tokens=settings.special_tokens,
            splits=splits,
            rules=rules,
            tokens=tuple(sorted(learned["vocab"], key=learned["vocab"].__getitem__)),
            merges=tuple((left, right) for left, right in learned["merges"]),
        )
    except ValueError as error:
        raise BadInput(f"the trained vocabulary is not usable: {error}") from error
