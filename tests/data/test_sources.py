import importlib.util
import itertools
import json
from collections import Counter

import pytest

from smidgen.data.document import Document
from smidgen.data.sources import open_source, without_duplicates
from smidgen.errors import BadInput
from smidgen.recipes.arithmetic import ArithmeticSettings
from smidgen.recipes.mixture import CurriculumPoint, DataSettings, Source


def test_a_hub_source_says_what_would_work_without_the_package_that_reads_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadInput) as caught:
        open_source("web", Source(hub="owner/corpus"), seed=1, cache=None, rejected=Counter())
    assert str(caught.value) == (
        "source 'web' is the hub dataset owner/corpus, which needs the package datasets: "
        "pip install 'smidgen[data]', or give local files with --data web=PATH"
    )


def test_two_sources_may_not_differ_in_upper_and_lower_case_only():
    point = CurriculumPoint(at=0.0, weights={"Web": 1.0, "web": 1.0})
    sources = {"Web": Source(files=("a",)), "web": Source(files=("b",))}
    with pytest.raises(ValueError, match="sources 'Web' and 'web' have the same name but for upper and lower case"):
        DataSettings(sources=sources, curriculum=(point,))


def test_equal_texts_are_read_once_and_counted(tmp_path):
    texts = ["one", "two", "one", "", "two", "three", "one"]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    rejected: Counter = Counter()
    documents = list(open_source("a", Source(files=(str(path),)), seed=1, cache=None, rejected=rejected))
    assert [document.text for document in documents] == ["one", "two", "three"]
    assert [document.id for document in documents] == ["a.jsonl#1", "a.jsonl#2", "a.jsonl#6"]
    assert rejected == {"duplicate": 3, "empty text": 1}


def test_duplicates_are_dropped_as_the_documents_stream_by():
    rejected: Counter = Counter()
    stream = (Document(id=str(number), text=str(number % 3)) for number in itertools.count())
    assert [document.id for document in itertools.islice(without_duplicates(stream, rejected), 3)] == ["0", "1", "2"]


def test_a_generator_that_has_hardly_anything_new_to_give_ends():
    rejected: Counter = Counter()
    settings = ArithmeticSettings(level=2, equations=1)
    source = Source(generator="arithmetic", arithmetic=settings)
    texts = [document.text for document in open_source("sums", source, seed=1, cache=None, rejected=rejected)]
    assert len(texts) == len(set(texts))
    # Sums and differences of one and two digits, of which one in twenty is held out, and some products and quotients.
    assert 10_000 < len(texts) < 25_000
    assert rejected["duplicate"] > len(texts)


@pytest.mark.parametrize("generator", ["arithmetic", "grammar"])
def test_generators_stream_and_follow_the_seed(generator):
    def first(seed: int) -> list[Document]:
        source = Source(generator=generator)
        return list(itertools.islice(open_source("g", source, seed=seed, cache=None, rejected=Counter()), 3))

    assert first(1) == first(1)
    assert [document.text for document in first(1)] != [document.text for document in first(2)]
