"""Every kind of tokenizer that the settings can ask for."""

from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings

FIVE = SpecialTokens(pad="<pad>", bos="<bos>", eos="<eos>", unk="<unk>")
ARITHMETIC = {"digits": "reversed", "isolate_operators": True, "isolate_whitespace": True}
KINDS = {
    "plain": TokenizerSettings(),
    "single digits": TokenizerSettings(digits="single", special_tokens=FIVE),
    "arithmetic": TokenizerSettings(**ARITHMETIC, special_tokens=FIVE),
    "cased": TokenizerSettings(case_mapping=True),
    "everything": TokenizerSettings(**ARITHMETIC, case_mapping=True, special_tokens=FIVE),
    "closing": TokenizerSettings(**ARITHMETIC, close_numbers=True, special_tokens=FIVE),
    "everything closing": TokenizerSettings(**ARITHMETIC, case_mapping=True, close_numbers=True, special_tokens=FIVE),
}
