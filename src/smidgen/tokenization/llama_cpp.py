"""What llama.cpp can tokenise as we do."""

from smidgen.tokenization.splits import Splits
from smidgen.tokenization.text_rules import TextRules

# Its name of a pre-tokenizer -> the splits that it makes. A wrong name gives other ids without a word.
_NAMES = {Splits(): "gpt-2", Splits(digits=True): "smollm"}


def pre_tokenizer_name(splits: Splits, rules: TextRules) -> str | None:
    """``tokenizer.ggml.pre`` of a GGUF file, None where no name gives these ids: llama.cpp knows no text rules."""
    return _NAMES.get(splits) if rules == TextRules() else None


def splits_of(pre_tokenizer: str) -> Splits | None:
    """The splits that a file's ``tokenizer.ggml.pre`` stands for, None for a name that is not known here."""
    return next((splits for splits, name in _NAMES.items() if name == pre_tokenizer), None)
