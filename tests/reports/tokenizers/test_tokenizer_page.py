import html

import pytest

from smidgen.lab.tokenizers.comparison import compared, described
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.reports.tokenizers.tokenizer_page import ratio_words, render, write_tokenizer_page
from smidgen.tokenization.quality.measurement import measure
from smidgen.tokenization.quality.subject import Subject
from smidgen.tokenization.training import train_tokenizer

TALES = [f"The Cat saw {number} old cats & the NASA cat of {number}\n" for number in range(30)]
TEXTS = {"<tales>": TALES, "notes": ["the cat", "a cat\n\n"]}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def measured():
    trained = {
        "plain": train_tokenizer(TALES, TokenizerSettings(), 290),
        HOSTILE: train_tokenizer(TALES, TokenizerSettings(case_mapping=True), 280),
    }
    return [
        measure(Subject(name=name, tokenizer=one, markers=Subject.of(one).markers, notes=("a <note>",)), TEXTS)
        for name, one in trained.items()
    ]


@pytest.fixture(scope="module")
def result(measured):
    return compared(measured, load_recipe("gpt-s-5m"), sample="The <b> Cat\nNASA 12")


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "page.html"
    return write_tokenizer_page(result["tokenizers"], result["comparison"], out, command="smidgen x <y>").read_text()


def test_the_page_holds_everything_and_loads_nothing(page, result):
    text = html.unescape(page)
    for row in result["tokenizers"]:
        assert f"{row['equal_parameters']['embedding']:,}" in text
        assert f"{row['renyi_efficiency']:.3f}" in text
        assert all(token in text for token in row["longest_tokens"])
    for one in result["comparison"]["differences"]:
        assert ratio_words(one["tokens_ratio"]) in text
    assert "src=" not in page
    assert "default-src 'none'" in text
    # Each drawn for a desk and for a phone.
    assert page.count('class="chart labelled-bars"') == 4
    assert page.count('class="chart budget-bar"') == 2


def test_what_comes_from_outside_is_text(page):
    assert page.count("<script>") == 1
    assert "<b>" not in page
    assert "<y>" not in page
    assert "<note>" not in page
    assert html.escape(HOSTILE) in page


def test_the_sample_is_cut_into_as_many_pieces_as_tokens(page, result):
    pieces = sum(len(row["sample"]["pieces"]) for row in result["tokenizers"])
    assert page.count('class="piece ') == pieces
    assert page.count("<br>") >= 2
    assert "⇧" in page
    assert "↵" in page


def test_who_needs_fewer_tokens_is_said_first(page, result):
    [overall] = [one for one in result["comparison"]["differences"] if one["domain"] == "all text"]
    assert overall["verdict"] == "more tokens"
    assert "For the same text as plain" in page
    assert f"{100 * (overall['tokens_ratio']['value'] - 1):.1f}% more tokens" in page


def test_one_tokenizer_has_a_page_of_its_own(measured):
    row = described(measured[0], load_recipe("gpt-s-5m"))
    page = render([row], None, command="smidgen tokenizer inspect a")
    assert "A vocabulary of 290." in page
    assert "Tokens for the same text" not in page
    assert page.count('class="chart labelled-bars"') == 4
    assert "⇧" not in page


def test_a_vocabulary_without_room_says_so(measured):
    row = described(measured[0], load_recipe("gpt-s-5m"))
    model = {**row["equal_parameters"], "refused": "its vocabulary alone takes 9 of 8 parameters", "left": -1}
    del model["parts"]
    page = render([{**row, "equal_parameters": model}], None, command="")
    assert "its vocabulary alone takes 9 of 8 parameters" in page
    assert "nothing" in page


def test_no_text_makes_a_page_without_charts(measured):
    empty = measure(measured[0].subject, {"nothing": []})
    page = render([described(empty, load_recipe("gpt-s-5m"))], None, command="")
    assert "labelled-bars" not in page.split("</style>")[1]
