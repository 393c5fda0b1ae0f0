from dataclasses import replace

import pytest

from smidgen.checkpoints.open_model import OpenModel
from smidgen.data.build import build
from smidgen.data.document import Document
from smidgen.data.sample_texts import sample_texts
from smidgen.errors import Interrupted
from smidgen.evaluation import spelling_task
from smidgen.evaluation.spelling_task import METRIC, Written, lexicon_of, score_spelling, share_of_real_words
from smidgen.model.decoder import Decoder
from smidgen.model.initialisation import initialise
from smidgen.recipes.sampling import SamplingSettings
from smidgen.records.run_folder import RunFolder
from smidgen.tokenization.training import train_tokenizer


@pytest.fixture(scope="module")
def untrained(tiny_recipe, tmp_path_factory):
    """A model with random weights and the data of a run."""
    folder, design = tmp_path_factory.mktemp("spelling"), tiny_recipe.design
    texts = sample_texts(tiny_recipe.data, bytes_wanted=60_000, seed=0, cache=None)
    tokenizer = train_tokenizer(texts, tiny_recipe.tokenizer, design.vocab_size)
    data = RunFolder(folder).data
    build(tiny_recipe.data, tokenizer, out=data, context_length=32, training_tokens=10_240, seed=0, cache=None)
    decoder = Decoder(design).eval()
    initialise(decoder, 3)
    return OpenModel(name="untrained", path=folder, decoder=decoder, tokenizer=tokenizer, weights_sha256="0" * 64)


def words(text, prompt="", *, is_cut=False):
    return Written(text, len(prompt), is_cut).words()


def scored(model, **options):
    return score_spelling(model, **{"limit": 3, "seed": 0, "stop_requested": lambda: False, **options})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The cat's Mat, élan.", ["the", "cat's", "mat", "élan"]),
        ("it’s ‘quoted’ (so)", ["it's", "quoted", "so"]),
        ("I am a b", ["am"]),
        ("fill_event x86 2nd don't2 np.array", ["np", "array"]),
        ("12 + 7 = 19", []),
    ],
)
def test_a_word_is_a_run_of_letters_with_apostrophes_inside(text, found):
    assert words(text) == found


def test_a_word_that_the_prompt_began_is_not_the_models():
    assert words("Return the quick fox", "Return the qu") == ["fox"]


def test_the_last_word_counts_only_when_the_limit_did_not_cut_it():
    assert words("one two thr", is_cut=True) == ["one", "two"]
    assert words("one two.", is_cut=True) == ["one", "two"]
    assert words("one two three") == ["one", "two", "three"]


def test_a_lexicon_holds_what_occurs_twice():
    assert lexicon_of(["One two", "two three. three"]) == {"two", "three"}


def test_the_share_is_of_words_and_its_interval_over_samples():
    items = [{"written": written, "right": right} for written, right in [(10, 9), (30, 30), (0, 0), (7, 2), (13, 13)]]
    score = share_of_real_words(items)
    assert (score.value, score.n) == (54 / 60, 60)
    assert score.low < score.value < score.high
    assert share_of_real_words(items * 9).high - share_of_real_words(items * 9).low < score.high - score.low


def test_a_perfect_share_still_has_an_interval_and_no_words_have_no_share():
    assert share_of_real_words([{"written": 5, "right": 5}] * 3).low < 0.5
    assert share_of_real_words([{"written": 0, "right": 0}]) is None


def test_a_run_is_scored_beside_its_own_held_out_text(untrained):
    outcome = scored(untrained)
    assert set(outcome.scores) == set(outcome.baselines)
    # Sums hold no words, so that source says nothing about spelling.
    assert "spelling/arithmetic" not in outcome.scores
    assert outcome.baselines["spelling"]["real text"] > 0.95
    # Random weights do not spell.
    assert outcome.scores["spelling"][METRIC].value < outcome.baselines["spelling"]["real text"]
    assert [item["item"] for item in outcome.items] == ["grammar/0", "grammar/1", "grammar/2"]
    assert all(len(item["unknown"]) == item["written"] - item["right"] for item in outcome.items)


def test_the_seed_decides_the_samples(untrained):
    assert scored(untrained).items == scored(untrained).items
    assert scored(untrained).items != scored(untrained, seed=5).items


def test_a_model_whose_advice_is_greedy_is_sampled_all_the_same(untrained):
    greedy, plain = (replace(untrained, sampling=SamplingSettings(temperature=one)) for one in (0.0, 1.0))
    assert scored(greedy).items == scored(plain).items


def test_a_model_without_a_run_is_held_against_installed_documentation(untrained, tmp_path, monkeypatch):
    texts = [f"the painter opened door number {number} and saw the old lamp again" * 9 for number in range(40)]
    documents = [Document(f"file-{number}", text) for number, text in enumerate(texts)]
    monkeypatch.setattr(spelling_task, "installed_documents", lambda: documents)
    outcome = scored(replace(untrained, path=tmp_path))
    assert outcome.baselines["spelling/installed-docs"] == {"real text": 1.0}
    assert outcome.scores["spelling"] == outcome.scores["spelling/installed-docs"]


def test_sampling_stops_when_asked(untrained):
    with pytest.raises(Interrupted):
        scored(untrained, stop_requested=lambda: True)
