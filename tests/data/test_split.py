import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.data.document import Document
from smidgen.data.split import SMALL_SOURCE_DOCUMENTS, is_held_out, split_small, with_sides
from smidgen.errors import BadInput


def documents(count: int, prefix: str = "page") -> list[Document]:
    return [Document(id=f"{prefix}{number}", text=f"text {number}") for number in range(count)]


def held_out_ids(given_documents: list[Document], fraction: float) -> set[str]:
    return {document.id for document, held_out in with_sides(given_documents, fraction) if held_out}


def test_the_choice_is_the_same_in_every_version():
    chosen = [number for number in range(300) if is_held_out(f"page{number}", 0.01)]
    assert chosen == [16, 96, 147, 165, 264, 283, 296], (
        "the hash changed, so new runs would train on what old runs held out: restore it"
    )


def test_the_share_of_held_out_ids_is_the_fraction():
    held_out = sum(is_held_out(f"row-{number}", 0.05) for number in range(20_000))
    assert 900 < held_out < 1_100  # mean 1,000, standard deviation 31


@given(st.text(), st.floats(0.01, 0.49), st.floats(0.01, 0.49))
def test_a_larger_fraction_keeps_what_a_smaller_one_holds_out(document_id, one, other):
    smaller, larger = sorted([one, other])
    assert is_held_out(document_id, larger) or not is_held_out(document_id, smaller)


def test_an_id_with_a_lone_surrogate_has_a_side():
    assert is_held_out("broken \ud800 name", 0.5) in (True, False)


@pytest.mark.parametrize(("count", "expected"), [(2, 1), (3, 1), (29, 1), (31, 2), (75, 4), (399, 20)])
def test_a_small_source_holds_out_a_twentieth_and_at_least_one(count, expected):
    assert len(split_small([f"book.txt#{number}" for number in range(count)], 0.01)) == expected


def test_a_small_source_with_a_larger_fraction_holds_out_that_fraction():
    assert len(split_small([f"a{number}" for number in range(70)], 0.3)) == 21


def test_the_choice_in_a_small_source_does_not_depend_on_the_order():
    ids = [f"a{number}" for number in range(75)]
    assert split_small(ids, 0.01) == split_small(ids[::-1], 0.01)


@pytest.mark.parametrize("ids", [["only"], ["same", "same"]])
def test_a_source_of_one_document_is_refused_with_what_would_work(ids):
    with pytest.raises(
        BadInput, match=r"source 'text' has 1 document\(s\) and at least 2 are needed.*give more text"
    ):
        split_small(ids, 0.01, source="source 'text'")


def test_every_document_gets_a_side_in_the_order_given():
    for count in (2, 399, 400, 1_000):
        given_documents = documents(count)
        assert [document for document, _ in with_sides(given_documents, 0.01)] == given_documents


def test_a_large_source_is_split_by_the_hash_alone():
    given_documents = documents(3_000)
    by_hash = {document.id for document in given_documents if is_held_out(document.id, 0.01)}
    assert held_out_ids(given_documents, 0.01) == by_hash


def test_a_large_source_whose_hashes_choose_nothing_early_still_holds_one_out():
    given_documents = documents(SMALL_SOURCE_DOCUMENTS)
    assert not any(is_held_out(document.id, 1e-9) for document in given_documents)
    assert len(held_out_ids(given_documents, 1e-9)) == 1


def test_a_document_keeps_its_side_when_others_come_before_it():
    later = documents(1_000)
    held_out = held_out_ids(later, 0.01)
    assert held_out_ids(documents(500, "new") + later, 0.01) & {document.id for document in later} == held_out


def test_sides_are_decided_without_reading_on():
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield Document(id=str(taken), text="x")

    next(with_sides(endless(), 0.01))
    assert taken == SMALL_SOURCE_DOCUMENTS


def test_no_documents_give_no_sides():
    assert list(with_sides([], 0.01)) == []
