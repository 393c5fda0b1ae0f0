import random

import pytest

from smidgen.export.web.description import tokenizer_description
from smidgen.tokenization import proof_texts
from smidgen.tokenization.text_rules import CLOSING
from smidgen.tokenization.training import train_tokenizer

from ...tokenization.awkward_text import awkward_texts
from ...tokenization.kinds import KINDS
from ...tokenization.sample_text import sample_texts
from .javascript import ask, needs_node

pytestmark = needs_node

OPEN = "const { Tokenizer } = await at('tokenizer'); const tokenizer = new Tokenizer(given.tokenizer);"
OPENED = bytes.maketrans(CLOSING.encode(), b"0123456789")
TEXTS = [*awkward_texts(1000, seed=8), *proof_texts.CAPITALS, *proof_texts.random_texts(1500, seed=3)]


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    return train_tokenizer(sample_texts(), KINDS[request.param], 600)


@pytest.fixture
def asked(trained, tmp_path):
    """A function from a script and what it is given to its answer."""
    description = tokenizer_description(trained)
    return lambda script, **given: ask(OPEN + script, {"tokenizer": description, **given}, tmp_path)


def test_thousands_of_texts_get_our_ids_and_come_back(trained, asked):
    script = """
    const encoded = given.texts.map((text) => tokenizer.encode(text));
    return encoded.map((ids) => [ids, tokenizer.decode(ids)]);
    """
    answers = asked(script, texts=TEXTS)
    assert [ids for ids, _ in answers] == trained.encode_batch(TEXTS)
    assert [text for _, text in answers] == TEXTS


def test_whatever_a_model_writes_is_decoded_and_shown_as_we_do_it(trained, asked):
    draw = random.Random(5)
    rows = [draw.choices(range(trained.vocab_size), k=draw.randint(0, 12)) for _ in range(2000)]
    script = "return given.rows.map((ids) => [tokenizer.decode(ids), ids.map((id) => tokenizer.piece(id))]);"
    answers = asked(script, rows=rows)
    assert [text for text, _ in answers] == [trained.decode(ids) for ids in rows]
    assert [pieces for _, pieces in answers] == [trained.pieces(ids) for ids in rows]


def test_a_closing_digit_is_shown_as_its_digit_with_a_sign(trained, asked):
    shown = ["4", "1\u27e9"] if trained.definition.rules.close_numbers else ["4", "1"]
    if not trained.definition.rules.reverse_digits:
        return
    script = """
    const { segments } = await at("segments");
    const show = (view) => segments(tokenizer, given.ids, { view, running: false }).map(({ text }) => text);
    return [show("tokens"), show("text").join("")];
    """
    assert asked(script, ids=trained.encode("14")) == [shown, "14"]
    assert trained.pieces(trained.encode("14")) == shown


def test_every_character_belongs_to_the_token_that_completes_it(trained, asked):
    text = "In 2024 NASA paid 1234567 for the naïve café 🙂."
    ids = trained.encode(text)
    pairs = asked("return tokenizer.pairs(given.ids);", ids=ids)
    assert "".join(character for character, _ in pairs) == text
    for character, index in pairs:
        # The last digit of a number may be written as its closing mark.
        content = trained.content(ids[index])[0].translate(OPENED)
        assert character.encode()[-1:].lower() in content.lower()


def test_a_lone_surrogate_becomes_the_replacement_character(asked):
    answer = asked(
        r"return ['a\ud800b', '\udc00', 'a\ud83d\ude42'].map((text) => tokenizer.decode(tokenizer.encode(text)));"
    )
    assert answer == ["a\ufffdb", "\ufffd", "a🙂"]


def test_an_id_without_a_token_stands_for_nothing(trained, asked):
    # A model may embed more ids than its tokenizer has.
    ids = [*trained.encode("the cat"), trained.vocab_size + 5, *trained.encode(" sat")]
    script = "return [tokenizer.decode(given.ids), tokenizer.piece(given.ids.at(-1) + 10000)];"
    assert asked(script, ids=ids) == ["the cat sat", ""]


@pytest.mark.soak
def test_every_unicode_character_gets_our_ids(trained, asked):
    texts = list(proof_texts.every_character())
    assert asked("return given.texts.map((text) => tokenizer.encode(text));", texts=texts) == trained.encode_batch(
        texts
    )
