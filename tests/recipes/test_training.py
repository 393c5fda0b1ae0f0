import pytest

from smidgen.recipes.training import BatchPoint, TrainingSettings

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
        ({"muon_learning_rate": 0.0}, "muon_learning_rate=0.0 must be positive"),
        ({"muon_momentum": 1.0}, "muon_momentum=1.0 lie in"),
        ({"z_loss": -1e-4}, "z_loss=-0.0001 must not be negative"),
        ({"answer_weight": -1.0}, "answer_weight=-1.0 must not be negative"),
        ({"place_offset": -1}, "place_offset=-1 must not be negative"),
        ({"ema_decay": 1.0}, r"ema_decay=1.0 must lie in \[0, 1\); 0.999 is usual"),
        ({"ema_decay": 0.99, "average_checkpoints": 3}, "two averages"),
        ({"divergence_factor": 1.0}, "must be above 1"),
        ({"batch_schedule": (BatchPoint(at=0.0, tokens=200),)}, "must rise and lie between 0 and 1"),
        ({"batch_schedule": (BatchPoint(at=0.5, tokens=2), BatchPoint(at=0.4, tokens=3))}, "stands at 0.5, 0.4"),
        ({"batch_schedule": (BatchPoint(at=0.5, tokens=0),)}, "steps of 0 tokens"),
        ({"batch_schedule": (BatchPoint(at=0.5, tokens=2000),)}, "between 1 and tokens=1000 would work"),
    ],
)
def test_impossible_settings_are_refused_in_words(change, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**{**GOOD, **change})
