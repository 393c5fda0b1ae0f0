import pytest

from smidgen.recipes.training import TrainingSettings

GOOD = {"tokens": 1000, "batch_tokens": 100, "micro_batch_size": 2, "peak_learning_rate": 1e-3, "warmup_steps": 1}


def test_usual_settings_are_accepted():
    assert TrainingSettings(**GOOD).decay_start == 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": 0}, "tokens=0 must be at least 1"),
        ({"warmup_steps": -1}, "warmup_steps=-1 must not be negative"),
        ({"peak_learning_rate": 0.0}, "must be positive"),
        ({"minimum_learning_rate": 1.0}, "at least minimum_learning_rate"),
        ({"peak_learning_rate": float("nan")}, "must be positive"),
        ({"decay_start": 1.5}, "is a fraction of the steps"),
        ({"beta2": 1.0}, "must lie in"),
        ({"gradient_clip": 0.0}, "must be positive"),
        ({"batch_tokens": 2000}, "batch_tokens of at most 1000"),
        ({"keep_checkpoints": 0}, "keep_checkpoints=0"),
    ],
)
def test_impossible_settings_are_refused_in_words(change, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**{**GOOD, **change})
