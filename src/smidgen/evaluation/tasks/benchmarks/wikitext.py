"""WikiText-2: whole encyclopedia pages, their tokenised text turned back into prose."""

import re

from smidgen.evaluation.tasks.benchmark import Benchmark
from smidgen.evaluation.tasks.item import Document
from smidgen.evaluation.tasks.row import Row

BEFORE = (
    ("s '", "s'"),
    (" @-@ ", "-"),
    (" @,@ ", ","),
    (" @.@ ", "."),
    *((f" {mark} ", f"{mark} ") for mark in ":;.!?,"),
)
# Pairs lose the blanks inside them, in this order.
PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ('"', '"'), ("'", "'"))
AFTER = (
    ("= = = =", "===="),
    ("= = =", "==="),
    ("= =", "=="),
    (" ° ", "°"),
    (" \n", "\n"),
    ("\n ", "\n"),
    (" N ", " 1 "),
    (" 's", "'s"),
)


def to_item(row: Row, number: int) -> Document:
    page = row.text("page")
    if not page.strip():
        raise ValueError('field "page" is empty')
    return Document(key=str(number), text=detokenised(page), original=page)


def detokenised(page: str) -> str:
    """The harness's rules in its order; its rule for an apostrophe between slashes fits no text and is left out."""
    for written, meant in BEFORE:
        page = page.replace(written, meant)
    for first, last in PAIRS:
        inside = rf"{re.escape(first)}\s*([^{re.escape(last)}]*?)\s*{re.escape(last)}"
        page = re.sub(inside, rf"{first}\1{last}", page)
    for written, meant in AFTER:
        page = page.replace(written, meant)
    return page


WIKITEXT = Benchmark(
    name="wikitext",
    title="WikiText-2",
    dataset="EleutherAI/wikitext_document_level",
    configs=("wikitext-2-raw-v1",),
    split="test",
    files=("wikitext2/test_pages", "wikitext/test"),
    to_item=to_item,
    metrics=("word_perplexity", "byte_perplexity", "token_perplexity", "bits_per_byte"),
    licence="CC-BY-SA-3.0",
    paper="https://arxiv.org/abs/1609.07843",
)
