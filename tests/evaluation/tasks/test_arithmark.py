import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from smidgen.data.arithmetic import is_held_out
from smidgen.data.word_problems import CATEGORIES, word_problem_items
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.arithmark import OFFICIAL_FILES, find_arithmark, number_text, open_arithmark
from smidgen.evaluation.tasks.arithmark_floors import floor_baselines
from smidgen.evaluation.tasks.arithmark_generated import GENERATED, generated_arithmark
from smidgen.evaluation.tasks.item import Choice

ROWS = {
    1: [
        {"expression": "7 / -2 =", "options": [-3, -3.5, 11.25, 8], "answer_index": 1, "n_operands": 2},
        {"expression": "4 - 9 + 3.0 =", "options": [-2.0, 5, 1, 0], "answer_index": 0, "n_operands": 3},
    ],
    2: [
        {"ctx": "6 + 7 =", "endings": [" 12", " 13", " 15", " 9"], "label": 1, "metadata": {"operator_count": 1}},
        {"ctx": "(6 + 7) * 2 =", "endings": [" 26", " 3", " 5", " 8"], "label": 0, "metadata": {"operator_count": 2}},
        {"ctx": "6 + 7 =", "endings": [" 14", " 13", " 15", " 9"], "label": "1", "metadata": {"operator_count": 1}},
    ],
    3: [
        {"ind": 17, "ctx": "2 and 3 cups", "endings": [" 5 cups.", " 6 cups."], "label": 0, "activity_label": "sums"},
    ],
}  # fmt: skip


def choice(texts: tuple[str, ...], *labels: int) -> Choice:
    return Choice(key="1", contexts=("1 + 1 =",), endings=tuple(f" {t}" for t in texts), texts=texts, labels=labels)


@pytest.fixture
def official(tmp_path, monkeypatch):
    """Files of our own that count as the official ones."""

    def write(version, rows=None):
        path = tmp_path / OFFICIAL_FILES[version].names[0]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows or ROWS[version]))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if OFFICIAL_FILES[version].sha256:
            monkeypatch.setitem(OFFICIAL_FILES, version, replace(OFFICIAL_FILES[version], sha256=sha256))
        return path

    return write


# Official files


def test_the_official_hashes_are_those_published():
    assert [OFFICIAL_FILES[version].sha256[:8] for version in (2, 3)] == ["c245b4e5", "bf8ab1a5"]
    assert [len(OFFICIAL_FILES[version].sha256) for version in (1, 2, 3)] == [0, 64, 64]


def test_version_2_is_scored_by_the_sum_with_context_and_ending_apart(official):
    path = official(2)
    task = open_arithmark(2, path)
    assert (task.name, task.metrics, task.jointly, task.token_mean) == ("arithmark2", ("acc",), False, False)
    assert task.files == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    assert [item.groups[0] for item in task.items] == ["1 operator", "2 operators", "1 operator"]
    assert task.items[0].pairs()[1] == ("6 + 7 =", " 13")
    assert [item.labels for item in task.items] == [(1,), (0,), (1,)]


def test_an_expression_that_occurs_twice_keeps_two_names(official):
    items = open_arithmark(2, official(2)).items
    assert [item.key for item in items] == ["6 + 7", "(6 + 7) * 2", "6 + 7 #2"]


def test_version_3_is_scored_by_the_mean_per_token(official):
    task = open_arithmark(3, official(3))
    assert (task.name, task.metrics, task.jointly, task.token_mean) == (
        "arithmark3",
        ("acc_norm", "acc"),
        False,
        True,
    )
    (item,) = task.items
    assert (item.key, item.groups, item.endings[1], item.texts[1]) == ("17", ("sums",), " 6 cups.", "6 cups.")


def test_version_1_has_no_known_hash_and_says_so(official):
    task = open_arithmark(1, official(1))
    assert task.source.startswith("unverified file")
    assert [item.texts for item in task.items] == [("-3", "-3.5", "11.25", "8"), ("-2", "5", "1", "0")]
    assert [item.groups for item in task.items] == [("2 operands",), ("3 operands",)]
    assert task.baselines["never-decimal"] == pytest.approx((0 + 1 / 4) / 2)


def test_a_limit_takes_the_first_items(official):
    assert [item.key for item in open_arithmark(2, official(2), limit=2).items] == ["6 + 7", "(6 + 7) * 2"]


def test_a_file_with_another_hash_is_refused_with_both_hashes_and_a_way_out(official):
    path = official(2)
    expected = OFFICIAL_FILES[2].sha256
    path.write_text(path.read_text() + "\n")
    given = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(BadInput, match=f"{given}.*{expected}.*--tasks arithmark2-generated"):
        open_arithmark(2, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 4}, r"line 1 is no item of ArithMark 2: .*0 to 3"),
        ({"endings": ["12", " 13", " 9", " 8"]}, r"line 1 .*'12' is no text after a leading space"),
        ({"endings": [" ", " 13", " 9", " 8"]}, r"line 1 .*is no text"),
        ({"ctx": "six ="}, "line 1 is no item"),
    ],
)
def test_a_malformed_item_is_named_by_its_line(official, change, message):
    path = official(2, [ROWS[2][0] | change])
    with pytest.raises(BadInput, match=message):
        open_arithmark(2, path)


def test_a_file_that_is_absent_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"arithmark_2\.0\.jsonl cannot be read \(No such file"):
        open_arithmark(2, tmp_path / "arithmark_2.0.jsonl")


def test_the_file_is_found_in_a_folder_of_its_own_or_beside_others(tmp_path):
    with pytest.raises(BadInput, match=r"holds no arithmark-3\.jsonl.*arithmark3-generated"):
        find_arithmark(3, tmp_path)
    beside, own = tmp_path / "arithmark-3.jsonl", tmp_path / "arithmark3" / "arithmark-3.jsonl"
    beside.touch()
    assert find_arithmark(3, tmp_path) == beside
    own.parent.mkdir()
    own.touch()
    assert find_arithmark(3, tmp_path) == own


def test_without_a_folder_the_published_revision_comes_from_the_hub(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    monkeypatch.setattr(hub, "hf_hub_download", lambda *args, **options: asked.append((args, options)) or tmp_path)
    assert find_arithmark(2, None) == tmp_path
    ((dataset, name), options), *_ = asked
    assert (dataset, name) == ("AxiomicLabs/ArithMark-2.0", "arithmark_2.0.jsonl")
    assert options == {"repo_type": "dataset", "revision": OFFICIAL_FILES[2].revision}


def test_a_hub_out_of_reach_is_one_sentence(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def fail(*args, **options):
        raise ConnectionError

    monkeypatch.setattr(hub, "hf_hub_download", fail)
    with pytest.raises(BadInput, match=r"could not be fetched from the hub.*arithmark2-generated"):
        find_arithmark(2, None)
    with pytest.raises(BadInput, match="no known revision"):
        find_arithmark(1, None)


# Floors


def test_floors_count_ties_by_their_share():
    assert floor_baselines([choice(("7", "30", "100", "12"), 0), choice(("70", "80", "90", "99"), 1)]) == {
        "chance": 0.25,
        "first": 1 / 2,
        "longest": (0 + 1 / 4) / 2,
        "shortest": (1 + 1 / 4) / 2,
        "middle": (0 + 1 / 2) / 2,
        "smallest": (1 + 0) / 2,
        "largest": 0.0,
        "never-decimal": 0.25,
        "common-digit": (0 + 1 / 3) / 2,
    }


def test_floors_expose_an_answer_that_is_always_in_the_middle():
    floors = floor_baselines([choice(("9 eggs.", "11 eggs.", "10 eggs.", "12 eggs."), label) for label in (1, 2)])
    assert floors["middle"] == 0.5
    assert floors["smallest"] == floors["largest"] == 0.0


def test_floors_expose_answers_that_are_never_decimal():
    assert floor_baselines([choice(("9", "11.5", "-10.25", "1,012.5"), 0)])["never-decimal"] == 1.0
    assert floor_baselines([choice(("9.5", "11.5"), 0)])["never-decimal"] == 0.5


def test_floors_expose_a_last_digit_shared_with_the_answer():
    assert floor_baselines([choice(("-31", "41", "17", "1,021"), 0)])["common-digit"] == pytest.approx(1 / 3)
    assert floor_baselines([choice(("31", "41", "17"), 2)])["common-digit"] == 0.0


def test_floors_accept_several_right_endings():
    assert floor_baselines([choice(("3", "5", "8"), 0, 2)])["chance"] == pytest.approx(2 / 3)


def test_floors_of_nothing_are_refused():
    with pytest.raises(BadInput, match="no items"):
        floor_baselines([])


# Generated items


@pytest.fixture(scope="module", params=GENERATED)
def generated(request):
    return generated_arithmark(request.param, limit=680, seed=3)


def test_generated_items_differ_from_each_other_and_name_their_source(generated):
    assert len({item.key for item in generated.items}) == len(generated.items) == 680
    assert all(len(set(item.texts)) == 4 and len(item.labels) == 1 for item in generated.items)
    assert generated.source == "generated by smidgen with seed 3"
    assert generated.files == {}
    assert not generated.jointly


def test_the_same_seed_gives_the_same_items_and_another_seed_others(generated):
    again, other = (generated_arithmark(generated.name, limit=680, seed=seed) for seed in (3, 4))
    assert again == generated
    assert len({item.key for item in other.items} & {item.key for item in generated.items}) < 300


def test_only_the_form_of_version_1_can_be_guessed(generated):
    floors = generated.baselines
    if generated.name == "arithmark1-generated":
        # A third for never choosing the decimal, nearly two fifths for staying in the middle.
        assert floors["never-decimal"] == pytest.approx(0.3, abs=0.04)
        assert floors["middle"] == pytest.approx(0.38, abs=0.05)
        return
    assert floors["chance"] == floors["first"] == 0.25
    assert [floors[name] for name in ("middle", "smallest", "largest")] == pytest.approx([0.25] * 3, abs=0.01)
    # Small answers are short and have little room below them, so these are off by a little.
    assert [floors[name] for name in ("longest", "shortest", "common-digit")] == pytest.approx([0.25] * 3, abs=0.06)


def test_equations_have_the_official_shares_of_operators():
    counts = Counter(item.groups[0] for item in generated_arithmark("arithmark2-generated", limit=2500).items)
    assert counts == {"1 operator": 1250, "2 operators": 750, "3 operators": 500}


def test_hard_distractors_leave_no_last_digit_in_the_majority():
    patterns = Counter(
        tuple(sorted(Counter(text.split()[0][-1] for text in item.texts).values()))
        for name in ("arithmark2-generated-hard", "arithmark3-generated-hard")
        for item in generated_arithmark(name, limit=300).items
        if int(item.texts[item.labels[0]].split()[0]) >= 10
    )
    assert set(patterns) == {(4,), (2, 2)}
    assert min(patterns.values()) > 100


def test_chains_have_two_to_six_operands_and_a_true_answer():
    task = generated_arithmark("arithmark1-generated", limit=200)
    assert Counter(item.groups for item in task.items) == {(f"{n} operands",): 40 for n in range(2, 7)}
    for item in task.items:
        # The answer by Python's own grammar, with exact fractions.
        exact = eval(re.sub(r"(\d+)", r"Fraction(\1)", item.key), {"Fraction": Fraction})
        assert item.texts[item.labels[0]] == number_text(float(exact)), item
        assert is_held_out(item.key) or re.search(r"(^| )-\d", item.key)
        assert item.groups == (f"{len(re.findall(r'[0-9]+', item.key))} operands",)


def test_most_whole_answers_of_chains_stand_beside_one_decimal():
    counts = Counter()
    for item in generated_arithmark("arithmark1-generated", limit=600).items:
        if "." not in item.texts[item.labels[0]]:
            counts[sum("." in text for text in item.texts)] += 1
    assert set(counts) == {0, 1}
    assert counts[1] / counts.total() == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize(
    ("value", "text"), [(7.0, "7"), (-0.00001, "0"), (2.00001, "2"), (-3.5, "-3.5"), (1 / 3, "0.3333")]
)
def test_numbers_are_written_with_at_most_four_decimals(value, text):
    assert number_text(value) == text


def test_stories_come_in_as_many_categories_as_officially_or_more_and_are_held_out():
    task = generated_arithmark("arithmark3-generated", limit=340)
    assert len({item.groups for item in task.items}) == len(CATEGORIES) >= 17
    assert {item.groups[0] for item in task.items} == set(CATEGORIES)
    assert all(re.fullmatch(r" \d+ [a-z]+( [a-z]+)?\.", ending) for item in task.items for ending in item.endings)
    assert [item.texts for item in task.items] == [
        tuple(ending[1:] for ending in item.endings) for item in word_problem_items(seed=0, items=340)
    ]


def test_more_chains_than_there_are_is_refused(monkeypatch):
    monkeypatch.setattr("smidgen.evaluation.tasks.arithmark_chains.LARGEST_OPERAND", 1)
    monkeypatch.setattr("smidgen.evaluation.tasks.arithmark_chains.MOST_DRAWS_PER_ITEM", 200)
    with pytest.raises(BadInput, match=r"no further chain of . operands.*fewer items"):
        generated_arithmark("arithmark1-generated", limit=900)


def test_more_stories_than_can_be_told_is_refused(monkeypatch):
    monkeypatch.setattr("smidgen.data.word_problems.items.MOST_DRAWS_PER_ITEM", 0)
    with pytest.raises(BadInput, match="ask for fewer"):
        generated_arithmark("arithmark3-generated", limit=900)


def test_an_unknown_generated_task_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean arithmark2-generated"):
        generated_arithmark("arithmark2-generatd")
