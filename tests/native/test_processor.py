import pytest

from smidgen.native import processor


@pytest.fixture(autouse=True)
def _measured_anew():
    processor.is_bfloat16_faster.cache_clear()
    yield
    processor.is_bfloat16_faster.cache_clear()


@pytest.mark.parametrize("is_faster", [True, False])
def test_the_best_turn_of_each_counts(monkeypatch, is_faster):
    slow, fast = (3.0, 9.0, 2.0), (9.0, 1.0, 3.0)
    of_bfloat16, of_float32 = (fast, slow) if is_faster else (slow, fast)
    seconds = iter([value for turn in zip(of_bfloat16, of_float32, strict=True) for value in turn])
    monkeypatch.setattr(processor, "TURNS", 3)
    monkeypatch.setattr(processor, "_seconds_of_square", lambda matrix: next(seconds))
    assert processor.is_bfloat16_faster() is is_faster


def test_a_processor_is_measured_once(monkeypatch):
    first = processor.is_bfloat16_faster()
    monkeypatch.setattr(processor, "_seconds_of_square", lambda matrix: pytest.fail("measured again"))
    assert processor.is_bfloat16_faster() is first
