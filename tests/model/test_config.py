from dataclasses import FrozenInstanceError, replace

import pytest

from smidgen.model.config import DigitTokenIds, ModelConfig

from .small_models import DIGIT_TOKEN_IDS, DIGITS, SMALL, small_config


@pytest.mark.parametrize("name", sorted(set(SMALL) - {"head_dim"}))
@pytest.mark.parametrize("size", [0, -3])
def test_every_size_must_be_at_least_one(name, size):
    with pytest.raises(ValueError, match=f"^{name}={size} must be at least 1$"):
        small_config(**{name: size})


@pytest.mark.parametrize("name", ["rope_theta", "rms_norm_eps", "initializer_range"])
@pytest.mark.parametrize("number", [0.0, -1.5, float("nan"), float("inf")])
def test_every_constant_must_be_a_positive_number(name, number):
    with pytest.raises(ValueError, match=f"^{name}={number} must be a positive number$"):
        small_config(**{name: number})


@pytest.mark.parametrize(("head_dim", "advice"), [(-3, "2 or 4"), (1, "2 or 4"), (7, "6 or 8"), (63, "62 or 64")])
def test_an_odd_head_size_says_what_would_work(head_dim, advice):
    words = f"^head_dim={head_dim} must be even and positive, .* pairs of channels; {advice} would work$"
    with pytest.raises(ValueError, match=words):
        small_config(head_dim=head_dim)


def test_head_size_is_the_share_of_the_width_unless_given():
    assert small_config(hidden_size=60, num_heads=6, head_dim=0).head_dim == 10
    assert small_config(hidden_size=60, num_heads=6, head_dim=4).head_dim == 4


@pytest.mark.parametrize(("hidden_size", "heads", "advice"), [(20, 6, "18 or 24"), (5, 6, "6")])
def test_a_width_that_heads_cannot_share_says_what_would_work(hidden_size, heads, advice):
    words = f"^hidden_size={hidden_size} is not a multiple of num_heads={heads}; hidden_size of {advice} would work$"
    with pytest.raises(ValueError, match=words):
        small_config(hidden_size=hidden_size, num_heads=heads, num_kv_heads=1)


@pytest.mark.parametrize(("heads", "kv_heads", "advice"), [(6, 4, "1, 2, 3, 6"), (5, 2, "1, 5"), (2, 3, "1, 2")])
def test_groups_of_unequal_size_say_what_would_work(heads, kv_heads, advice):
    words = (
        f"^num_heads={heads} must be a multiple of num_kv_heads={kv_heads} .* num_kv_heads of {advice} would work$"
    )
    with pytest.raises(ValueError, match=words):
        small_config(num_heads=heads, num_kv_heads=kv_heads)


@pytest.mark.parametrize(("places", "roles"), [(66, 0), (0, 12), (65, 12), (66, 11), (-1, 0)])
def test_digit_feature_tables_have_their_published_sizes_or_none(places, roles):
    words = f"^place_vocab_size={places} and role_vocab_size={roles} must be 66 and 12 .* or both 0"
    with pytest.raises(ValueError, match=words):
        small_config(place_vocab_size=places, role_vocab_size=roles)


@pytest.mark.parametrize(("digits", "operators"), [(9, 4), (10, 3), (11, 5)])
def test_digit_features_need_all_digits_and_operators(digits, operators):
    words = f"ids of 10 digits and 4 operators, given {digits} and {operators}$"
    with pytest.raises(ValueError, match=words):
        replace(DIGIT_TOKEN_IDS, digits=tuple(range(digits)), operators=tuple(range(20, 20 + operators)))


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({"equals": 9}, r"\[9\]"),
        ({"digits": (0, 1, 2, 3, 4, 5, 6, 7, 8, 8)}, r"\[8\]"),
        ({"spaces": (3, 20)}, r"\[3, 20\]"),
    ],
)
def test_a_token_has_one_meaning(changes, shared):
    with pytest.raises(ValueError, match=f"one meaning for each token id, but {shared} have several$"):
        replace(DIGIT_TOKEN_IDS, **changes)


def test_the_same_line_start_may_be_listed_twice():
    assert replace(DIGIT_TOKEN_IDS, line_starts=(19, 19)).line_starts == (19, 19)


@pytest.mark.parametrize("outside", [-1, 29])
def test_digit_token_ids_must_be_in_the_vocabulary(outside):
    ids = replace(DIGIT_TOKEN_IDS, equals=outside)
    with pytest.raises(ValueError, match=rf"^digit_token_ids \[{outside}\] are not in the vocabulary of 29$"):
        small_config(**{**DIGITS, "digit_token_ids": ids})


@pytest.mark.parametrize("cap", [-1.0, float("inf"), float("nan")])
def test_a_soft_cap_is_positive_or_absent(cap):
    with pytest.raises(ValueError, match=f"^logit_softcap={cap} must be positive, or 0 for none; Gemma 2 has 30$"):
        small_config(logit_softcap=cap)


def test_all_digits_have_a_closing_id_or_none_has():
    closing = replace(DIGIT_TOKEN_IDS, closing=tuple(range(100, 110)))
    assert set(closing.all_ids) == {*DIGIT_TOKEN_IDS.all_ids, *range(100, 110)}
    with pytest.raises(ValueError, match="the ids of 10 closing digits or none, given 9"):
        replace(DIGIT_TOKEN_IDS, closing=tuple(range(100, 109)))
    with pytest.raises(ValueError, match="one meaning for each token id"):
        replace(DIGIT_TOKEN_IDS, closing=DIGIT_TOKEN_IDS.digits)


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        small_config().hidden_size = 7
    with pytest.raises(FrozenInstanceError):
        DIGIT_TOKEN_IDS.equals = 7


def test_settings_are_given_by_name():
    with pytest.raises(TypeError, match="positional"):
        ModelConfig(*SMALL.values())
    with pytest.raises(TypeError, match="positional"):
        DigitTokenIds(tuple(range(10)), (10, 11, 12, 13), 14, 15, 16)


def test_equal_settings_are_equal_and_hash_alike():
    assert small_config(**DIGITS) == small_config(**DIGITS)
    assert hash(small_config(**DIGITS)) == hash(small_config(**DIGITS))
    assert small_config() != small_config(xsa=True)


def test_group_size_and_digit_features_are_derived():
    assert small_config(num_heads=15, num_kv_heads=3).group_size == 5
    assert small_config(**DIGITS).has_digit_features
    assert not small_config().has_digit_features
