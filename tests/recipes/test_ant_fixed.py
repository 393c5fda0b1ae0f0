"""``ant-5m-fixed`` is what its comments say: the solver's shape, without what Ant-5M's author blames."""

import re
from dataclasses import asdict
from importlib import resources

from smidgen import api
from smidgen.design.solving.constraints import Constraints
from smidgen.design.solving.solver import solve
from smidgen.recipes.loading import load_recipe

TEXT = resources.files("smidgen.recipes.shipped").joinpath("ant-5m-fixed.toml").read_text("utf-8")


def test_the_shape_is_what_the_stated_command_finds():
    [command] = re.findall(r"^# Shape +smidgen (.*)$", TEXT, re.MULTILINE)
    assert command == "solve --parameters 5M --context 1024 --gguf"
    best = solve(5_000_000, Constraints(context_length=1024, gguf=True)).best
    design = load_recipe("ant-5m-fixed").design
    assert asdict(best.config) == {**asdict(design), "rope_theta": best.config.rope_theta}
    assert best.parameters == load_recipe("ant-5m-fixed").published.parameters <= 5_000_000


def test_all_but_the_shape_and_the_sampling_is_ants():
    fixed, ant = load_recipe("ant-5m-fixed"), load_recipe("ant-5m")
    assert (fixed.data, fixed.training, fixed.evaluation) == (ant.data, ant.training, ant.evaluation)
    assert fixed.design.context_length == ant.design.context_length
    assert not fixed.published.scores


def test_nothing_that_ants_author_blames_is_found_in_it():
    blamed = {finding["code"] for finding in api.design("ant-5m")["findings"] if finding["severity"] != "note"}
    assert len(blamed) >= 2
    found = [finding for finding in api.design("ant-5m-fixed")["findings"] if finding["severity"] != "note"]
    assert found == []
