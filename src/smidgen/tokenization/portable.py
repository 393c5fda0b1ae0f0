"""The whole tokenizer as one ``tokenizer.json``: equal ids for whoever reads that file and nothing of ours.

Rules and splits are written in what transformers 4 and 5 (Rust, Oniguruma) and @huggingface/tokenizers (JavaScript)
have in common: replacements by fixed texts, look-behinds of fixed length and look-aheads.
"""

from tokenizers import Tokenizer as BytePairEncoder
from tokenizers import decoders, normalizers

from smidgen.tokenization import portable_rules, portable_splits
from smidgen.tokenization.definition import Definition
from smidgen.tokenization.text_rules import TextRules


def portable_encoder(definition: Definition) -> BytePairEncoder:
    """``definition.encoder()`` with the text rules in it, and splits that do not depend on a version of Unicode."""
    encoder = definition.encoder()
    encoder.pre_tokenizer = portable_splits.pre_tokenizer(definition.splits)
    if definition.rules != TextRules():
        encoder.normalizer = normalizers.Sequence(portable_rules.normalizer(definition.rules))
        # The bytes of all tokens are one text before any rule is undone.
        encoder.decoder = decoders.Sequence([decoders.ByteLevel(), *portable_rules.decoder(definition.rules)])
    return encoder
