from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization.quality.case_twins import case_twins
from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.training import train_tokenizer

TEXT = "to To TO to To TO. (to) (To) (TO) "


def test_words_are_counted_once_however_they_are_spelt():
    trained = train_tokenizer([TEXT] * 3, TokenizerSettings(), 265)
    twins = case_twins(Subject.of(trained))
    spellings = {bare: sorted(text for _, text in family) for bare, family in twins.words.items()}
    assert spellings == {"t": [" T"], "to": [" TO", " To", " to", "TO", "To", "to"]}
    assert twins.by_case == 4
    assert twins.by_blank == 1
    assert [[text for _, text in family] for family in twins.examples] == [[text for _, text in twins.words["to"]]]


def test_case_mapping_leaves_no_twins_by_case():
    trained = train_tokenizer([TEXT] * 3, TokenizerSettings(case_mapping=True), 259)
    twins = case_twins(Subject.of(trained))
    assert set(twins.words) == {"to"}
    assert (twins.by_case, twins.by_blank) == (0, 1)


def test_bytes_and_signs_are_no_words():
    trained = train_tokenizer(["++ ++ ++"], TokenizerSettings(), 258)
    assert case_twins(Subject.of(trained)).words == {}
