import json

import pytest
import torch

from smidgen.errors import CheckFailed
from smidgen.serving.token_score import token_scores

LOGITS = torch.tensor([[1.0, 3.0, 2.0], [0.0, 0.0, float("-inf")]])


def test_each_token_is_scored_under_its_own_row():
    first, second = token_scores(LOGITS, [2, 0], top=2)
    rows = LOGITS.log_softmax(dim=1).tolist()
    assert (first.token_id, second.token_id) == (2, 0)
    assert [first.log_probability, second.log_probability] == pytest.approx([rows[0][2], rows[1][0]])
    assert first.top == tuple((token_id, pytest.approx(rows[0][token_id])) for token_id in (1, 2))


def test_what_cannot_come_is_a_number_that_json_has():
    _, impossible = token_scores(LOGITS, [1, 2], top=3)
    assert impossible.log_probability == -9999
    json.dumps(impossible.top, allow_nan=False)


def test_more_than_the_vocabulary_is_all_of_it():
    [score] = token_scores(LOGITS[:1], [1], top=20)
    assert [token_id for token_id, _ in score.top] == [1, 2, 0]
    assert token_scores(LOGITS[:1], [1], top=0)[0].top == ()


def test_logits_that_are_no_numbers_are_refused():
    with pytest.raises(CheckFailed, match="NaN"):
        token_scores(torch.tensor([[0.0, float("nan")]]), [0], top=1)
