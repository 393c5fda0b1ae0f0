"""Learning a vocabulary of an exact size from text."""

from collections.abc import Iterable, Iterator
from itertools import chain

from smidgen.errors import BadInput
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.merge_learning import learn_merges
from smidgen.tokenization.pre_token_counts import count_pre_tokens
from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules
from smidgen.tokenization.tokenizer import Tokenizer


def train_tokenizer(texts: Iterable[str], settings: TokenizerSettings, vocab_size: int) -> Tokenizer:
    """A tokenizer with exactly ``vocab_size`` entries: special tokens, 256 bytes, then merges by frequency.

    The texts are read once, as they come. The result depends on them and the settings, not on the number of threads
    or the order of the texts: only how often each pre-token occurs counts, and ties go to the lower ids. Memory is
    bounded however much text there is (``pre_token_counts``).

    Raises ``BadInput`` when there is no text, when it supports fewer merges than wanted, when ``vocab_size`` is too
    small for the 256 bytes, and when a special token's name also comes out of ordinary text.
    """
    special = settings.special_tokens.present
    if vocab_size < 256 + len(special):
        raise BadInput(
            f"design.vocab_size={vocab_size} is too small for byte-level BPE: 256 bytes and {len(special)} special "
            f"tokens need {256 + len(special)}"
        )
    rules = text_rules_of(settings)
    splits = Splits.of(settings)
    found = count_pre_tokens(map(rules.apply, _not_empty(texts)), splits.pre_tokenizer())
    learned = learn_merges(found.counts, vocab_size - len(special))
    tokens = (*special, *learned.tokens)
    if len(tokens) < vocab_size:
        raise BadInput(
            f"the text supports a vocabulary of {len(tokens)} entries, but design.vocab_size={vocab_size}: "
            f"set design.vocab_size={len(tokens)} or smaller, or give more text"
        )
    try:
        return Tokenizer(
            Definition(
                special_tokens=settings.special_tokens,
                splits=splits,
                rules=rules,
                tokens=tokens,
                merges=learned.merges,
            )
        )
    except ValueError as error:
        raise BadInput(f"the trained vocabulary is not usable: {error}") from error


def text_rules_of(settings: TokenizerSettings) -> TextRules:
    """The rules of a recipe. Not a method of theirs, because they travel with exports, where no recipe is."""
    return TextRules(
        reverse_digits=settings.digits == "reversed",
        map_case=settings.case_mapping,
        close_numbers=settings.close_numbers,
    )


def _not_empty(texts: Iterable[str]) -> Iterator[str]:
    filled = filter(None, texts)
    first = next(filled, None)
    if first is None:
        raise BadInput(
            "there is no text to train the tokenizer on: every source is empty, or [data.quality] filters all of it "
            "out (texts of more than 10 million characters, for one); give at least one text"
        )
    return chain([first], filled)
