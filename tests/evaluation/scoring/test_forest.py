import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smidgen.evaluation.scoring.forest import Forest, Query, chunks, plant, shared_prefix, sorted_order


def paths(forest: Forest) -> list[list[int]]:
    """The tokens that each row reads, itself included, by following parents."""
    read: list[list[int]] = [[] for _ in range(forest.rows)]
    for start, length, parent in zip(forest.segment_start, forest.segment_length, forest.segment_parent, strict=True):
        above = read[forest.segment_start[parent] + forest.segment_length[parent] - 1] if parent >= 0 else []
        for row in range(start, start + length):
            above = [*above, int(forest.token[row])]
            read[row] = above
    return read


def check(queries: list[Query], forest: Forest) -> None:
    """Each request's targets stand at rows that read exactly the tokens before them."""
    read = paths(forest)
    for number, query in enumerate(queries):
        mine = forest.target_of[forest.request_targets[number] : forest.request_targets[number + 1]]
        assert len(mine) == query.asked
        for offset, target in enumerate(mine):
            place = len(query.token_ids) - query.asked + offset
            assert forest.target_token[target] == query.token_ids[place]
            row = forest.query_row[np.searchsorted(forest.query_targets, target, side="right") - 1]
            assert read[row] == list(query.token_ids[:place])
            assert forest.position[row] == place - 1
    for segment in range(len(forest.segment_start)):
        first, end = forest.segment_queries[segment : segment + 2]
        rows = forest.query_row[first:end]
        assert (
            (rows >= forest.segment_start[segment])
            & (rows < forest.segment_start[segment] + forest.segment_length[segment])
        ).all()
    assert forest.segment_queries[-1] == len(forest.query_row)


few_tokens = st.lists(st.integers(0, 2), min_size=2, max_size=9)


@given(
    st.lists(
        few_tokens.flatmap(lambda ids: st.tuples(st.just(ids), st.integers(1, len(ids) - 1))), min_size=1, max_size=12
    ),
    st.integers(1, 40),
)
def test_every_request_finds_its_tokens(requests, block_rows):
    queries = [Query(tuple(ids), asked) for ids, asked in requests]
    queries = [queries[index] for index in sorted_order(queries)]
    check(queries, plant(queries, block_rows=block_rows))


def test_common_beginnings_are_read_once():
    queries = [Query((7, 8, 9, *ending), len(ending)) for ending in ((1, 2), (1, 3), (4, 5, 6), (4,))]
    queries = [queries[index] for index in sorted_order(queries)]
    forest = plant(queries, block_rows=100)
    # 7 8 9, then 1, and 4 5; the last token of each is only asked for.
    assert sorted(forest.token.tolist()) == [1, 4, 5, 7, 8, 9]
    assert forest.blocks == 1


def test_blocks_keep_to_their_budget_and_do_not_cut_trees():
    draw = random.Random(2)
    queries = []
    for _ in range(40):
        context = draw.choices(range(50), k=30)
        queries += [Query((*context, *draw.choices(range(50), k=10)), 10) for _ in range(4)]
    queries = [queries[index] for index in sorted_order(queries)]
    forest = plant(queries, block_rows=150)
    rows = [
        sum(forest.segment_length[forest.block_segments[block] : forest.block_segments[block + 1]])
        for block in range(forest.blocks)
    ]
    assert max(rows) <= 150
    assert forest.rows == sum(rows)
    # 30 of context and four times nine, once for each of the forty.
    assert forest.rows <= 40 * (30 + 36)


def test_sorting_is_that_of_the_token_tuples():
    draw = random.Random(3)
    queries = [Query(tuple(draw.choices(range(300), k=draw.randint(2, 5))), 1) for _ in range(200)]
    order = sorted_order(queries)
    assert [queries[index].token_ids for index in order] == sorted(query.token_ids for query in queries)


def test_chunks_cover_everything_in_order():
    queries = [Query((first, *range(length)), 1) for first, length in enumerate((5, 9, 2, 30, 3, 3))]
    parts = list(chunks(queries, rows=12))
    assert [query for part in parts for query in queries[part]] == queries
    assert [part.stop - part.start for part in parts] == [1, 1, 1, 1, 2]


def test_chunks_grow_rather_than_part_what_begins_alike():
    queries = [Query((1, 2, 3, 4, ending), 1) for ending in range(20)]
    assert [part.stop - part.start for part in chunks(queries, rows=20)] == [7, 7, 6]
    different = [Query((ending, 2, 3, 4, 5), 1) for ending in range(20)]
    assert [part.stop - part.start for part in chunks(different, rows=20)] == [4, 4, 4, 4, 4]


@pytest.mark.parametrize(
    ("first", "second", "common"), [([1, 2, 3], [1, 2, 4], 2), ([1], [1, 2], 1), ([], [1], 0), ([2], [1], 0)]
)
def test_the_shared_prefix(first, second, common):
    assert shared_prefix(np.array(first), np.array(second)) == common


@pytest.mark.parametrize(("ids", "asked"), [((1, 2), 0), ((1, 2), 2), ((1,), 1)])
def test_a_query_without_context_or_question_is_refused(ids, asked):
    with pytest.raises(ValueError, match="asked for"):
        Query(ids, asked)
