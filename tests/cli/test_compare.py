"""The command on small score files: what it prints for programs and people, and what it refuses."""

import json

import pytest

from smidgen.lab.registry import Registry


@pytest.fixture
def scores(tmp_path):
    """A score file of a model that has so many of 100 items right, the first ones."""

    def write(name, right, *, task="blimp", model=None):
        items = [
            {"task": task, "item": str(number), "labels": [0], "acc": float(number < right)} for number in range(100)
        ]
        score = {
            "value": right / 100,
            "low": max(0.0, right / 100 - 0.1),
            "high": min(1.0, right / 100 + 0.1),
            "n": 100,
        }
        record = {
            "model": model or name,
            "parameters": 2_345_678,
            "weights_sha256": name,
            "tokenizer_sha256": "t",
            "settings": {"limit": None},
            "index": None,
            "scores": {task: {"acc": score}},
            "items": items,
        }
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(record))
        return path

    return write


@pytest.fixture
def registry(tmp_path):
    return tmp_path / "registry" / "scores.sqlite"


def test_json_holds_a_verdict_for_each_task(smidgen, scores):
    result = smidgen("compare", scores("alpha", 40), scores("beta", 60), "--json").json
    (found,) = result["comparisons"]
    assert found["verdict"] == "better"
    assert (found["a"], found["b"], found["n"], found["discordant"]) == ("alpha", "beta", 100, 20)
    assert found["p_adjusted"] == pytest.approx(2 / 2**20)
    assert {"only_in_one", "warnings"} <= result.keys()


def test_people_read_the_verdict_in_words(smidgen, scores):
    outcome = smidgen("compare", scores("alpha", 40), scores("beta", 41), scores("gamma", 20))
    assert outcome.code == 0
    assert "beta (B) against alpha (A)" in outcome.out
    assert "not distinguishable (needs about" in outcome.out
    assert "gamma (B) against alpha (A)" in outcome.out
    assert "worse" in outcome.out


def test_all_pairs_adds_the_later_ones_among_themselves(smidgen, scores):
    files = [scores(name, right) for name, right in (("alpha", 40), ("beta", 50), ("gamma", 60))]
    assert len(smidgen("compare", *files, "--all-pairs", "--json").json["comparisons"]) == 3


def test_runs_of_several_seeds_are_compared_by_groups(smidgen, scores):
    a = ",".join(str(scores(f"a{right}", right, model="a")) for right in (30, 33, 31))
    b = ",".join(str(scores(f"b{right}", right, model="b")) for right in (50, 51, 52))
    (found,) = smidgen("compare", "--seeds", a, b, "--json").json["comparisons"]
    assert (found["a"], found["b"], found["verdict"]) == ("a", "b", "better")


def test_all_lists_what_was_scored_here_beside_what_others_report(smidgen, scores, registry):
    for file in (scores("alpha", 40), scores("beta", 60)):
        Registry(registry).add(json.loads(file.read_text()))
    board = smidgen("compare", "--all", "--registry", registry, "--json").json
    ranks = {row["model"]: row["scores"]["blimp"]["rank"] for row in board["models"]}
    assert ranks == {"beta": [1, 1], "alpha": [2, 2]}
    assert {row["kind"] for row in board["references"]} == {"self-reported"}
    outcome = smidgen("compare", "--all", "--registry", registry)
    assert "self-reported" in outcome.out
    assert outcome.out.index("beta") < outcome.out.index("alpha")


def test_the_registry_may_come_from_the_environment(smidgen, scores, registry, monkeypatch):
    Registry(registry).add(json.loads(scores("alpha", 40).read_text()))
    monkeypatch.setenv("SMIDGEN_REGISTRY", str(registry))
    assert [row["model"] for row in smidgen("compare", "--all", "--json").json["models"]] == ["alpha"]


def test_an_empty_registry_says_what_to_do(smidgen, registry):
    outcome = smidgen("compare", "--all", "--registry", registry)
    assert "smidgen evaluate MODEL" in outcome.out
    assert "hellaswag, acc norm" in outcome.out


def test_a_row_stands_alone_on_stdout_and_its_gaps_on_stderr(smidgen, scores):
    file = scores("alpha", 40)
    record = json.loads(file.read_text())
    record["scores"]["piqa"] = {"acc_norm": {"value": 0.5, "n": 1838}}
    file.write_text(json.dumps(record))
    outcome = smidgen("compare", file, "--row", "--org", "us")
    assert (outcome.json["piqa"], outcome.json["org"], outcome.json["arc"]) == (50.0, "us", None)
    assert "missing arc: arc_easy was not scored" in outcome.err
    assert "missing card" in outcome.err


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ([], "models given: 0"),
        (["--row"], "--row takes 1"),
        (["x", "--seeds"], "--seeds takes 2"),
        (["x", "--all", "--row"], "--all and --row are different forms"),
        (["no/such/run", "y"], "no/such/run: no such file or folder"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(smidgen, words, phrase):
    outcome = smidgen("compare", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert phrase in outcome.err
    assert "Traceback" not in outcome.err


def test_a_damaged_file_is_refused_in_a_sentence(smidgen, scores, tmp_path):
    (tmp_path / "cut.json").write_text(scores("alpha", 40).read_text()[:200])
    outcome = smidgen("compare", scores("alpha", 40), tmp_path / "cut.json", "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "cut.json is damaged" in outcome.err


def test_a_damaged_registry_is_refused_in_a_sentence(smidgen, registry):
    registry.parent.mkdir()
    registry.write_text("not a database " * 50)
    outcome = smidgen("compare", "--all", "--registry", registry, "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "damaged or no registry" in outcome.err
