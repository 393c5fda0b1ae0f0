"""The README says what is true: its Python runs, its commands parse, its table is the one that is counted."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from smidgen.cli.app import app
from smidgen.design.parameters import count_parameters
from smidgen.recipes.loading import load_recipe, shipped_names

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def command_lines():
    lines = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.mark.parametrize("block", blocks("python"))
def test_python_runs(block):
    exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("line", [line for line in command_lines() if line.startswith("smidgen ")])
def test_commands_parse(line):
    """Every option and argument is one that the command knows; the command itself is not run."""
    command = typer.main.get_command(app)
    words = shlex.split(line)[1:]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("smidgen", words)


@pytest.mark.parametrize("line", [line for line in command_lines() if line.startswith("make ")])
def test_make_targets_exist(line):
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_there_are_commands_to_check():
    assert len(command_lines()) > 8
    assert blocks("python")


def test_the_recipe_example_is_a_recipe(tmp_path):
    [block] = blocks("toml")
    path = tmp_path / "variant.toml"
    path.write_text(block)
    assert load_recipe(str(path)).name == "gpt-s-wide"


def test_the_table_of_recipes_is_complete_and_exact():
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([\d,]+)", README, re.MULTILINE))
    assert set(rows) == set(shipped_names())
    for name, shown in rows.items():
        assert int(shown.replace(",", "")) == count_parameters(load_recipe(name).design).total
