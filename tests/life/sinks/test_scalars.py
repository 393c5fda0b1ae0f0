from smidgen.life.sinks.scalars import scalars

PLACE = {"step": 3, "tokens": 96, "seconds": 1.5}


def test_every_number_has_a_name_and_the_axes_have_none():
    record = {"kind": "held_out", **PLACE, "bits_per_byte": 2.5, "by_source": {"text": 2.0, "sums": 3.0}}
    assert scalars(record) == {
        "held_out/bits_per_byte": 2.5,
        "held_out/by_source/text": 2.0,
        "held_out/by_source/sums": 3.0,
    }


def test_a_score_is_drawn_at_its_value_with_its_bounds_beside():
    scores = {"pairs": {"acc": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 7}}}
    record = {"kind": "evaluation", **PLACE, "scores": scores, "baselines": {"pairs": {"chance": 0.5}}, "skipped": {}}
    assert scalars(record) == {
        "evaluation/pairs/acc": 0.5,
        "evaluation/pairs/acc/low": 0.4,
        "evaluation/pairs/acc/high": 0.6,
        "evaluation/pairs/acc/n": 7.0,
    }


def test_statistics_are_named_by_part_and_what_is_unknown_is_left_out():
    parts = [{"name": "layers.0", "weight_norm": 2.0, "gradient_norm": None}]
    assert scalars({"kind": "statistics", **PLACE, "parts": parts}) == {"statistics/layers.0/weight_norm": 2.0}


def test_texts_are_no_numbers():
    samples = [{"prompt": "a", "text": "b", "loop": True}]
    assert scalars({"kind": "samples", **PLACE, "samples": samples, "loop_share": 1.0}) == {"samples/loop_share": 1.0}
    assert scalars({"kind": "event", "step": 3, "message": "spike"}) == {}
