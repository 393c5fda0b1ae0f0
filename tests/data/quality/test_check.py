"""Documents looked through: everything counted once, and listed."""

import random

import pytest

from smidgen.data.document import Document
from smidgen.data.quality.check import check_documents
from smidgen.data.quality.contamination import ContaminationIndex, EvaluationText
from smidgen.recipes.quality import MILD

chance = random.Random(4)
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("n", "rt", "sk", "l")]
TEXTS = [" ".join(chance.choices(WORDS, k=150)) for _ in range(30)]


def test_each_document_has_one_fate():
    pytest.importorskip("rensa")
    index = ContaminationIndex.of([EvaluationText("quiz", "7", " ".join(TEXTS[3].split()[20:40]))])
    documents = [("a", Document(id=f"a{n}", text=text)) for n, text in enumerate(TEXTS)]
    documents += [
        ("b", Document(id="same", text=TEXTS[3])),
        ("b", Document(id="near", text=TEXTS[5] + " and so on")),
        ("b", Document(id="damaged", text="\ufffd" * 20)),
        ("b", Document(id="good", text="nothing is wrong here")),
    ]
    found = []
    findings = check_documents(documents, limits=MILD, near_duplicates=0.8, index=index, on_finding=found.append)
    assert findings.documents == 34
    assert findings.text_bytes == sum(len(document.text.encode()) for _, document in documents)
    assert findings.rejected == {"damaged encoding": 1, "duplicate": 1, "near duplicate": 1}
    assert [(each["task"], each["items"], each["documents"]) for each in findings.contaminated] == [("quiz", 1, 1)]
    by_document = {(each["source"], each["document"]): each for each in found}
    assert {key: each["reason"] for key, each in by_document.items()} == {
        ("a", "a3"): "contaminated",
        ("b", "same"): "duplicate",
        ("b", "near"): "near duplicate",
        ("b", "damaged"): "damaged encoding",
    }
    assert by_document["b", "near"]["of"] == {"source": "a", "document": "a5"}
    assert by_document["a", "a3"]["items"] == {"7": 8}


def test_without_an_index_nothing_is_said_about_contamination():
    documents = [("a", Document(id="x", text="some text"))]
    findings = check_documents(documents, limits=MILD, near_duplicates=0, index=None, on_finding=print)
    assert findings.contaminated is None
    assert findings.rejected == {}
