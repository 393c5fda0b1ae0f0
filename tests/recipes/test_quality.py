"""Quality settings: a set of filters with single limits over it, and what cannot be meant."""

from dataclasses import fields
from pathlib import Path

import pytest

from smidgen.errors import BadInput
from smidgen.recipes.loading import load_recipe
from smidgen.recipes.quality import FILTERS, GOPHER, MILD, Limits, QualitySettings


def test_little_is_rejected_by_default():
    settings = load_recipe("quickstart").data.quality
    assert settings == QualitySettings()
    assert settings.limits_in_force.given == {"max_characters": 10_000_000, "max_damaged_share": 0.005}
    assert settings.near_duplicates == 0


def test_single_limits_stand_over_the_set():
    recipe = load_recipe("quickstart", overrides=["data.quality.filters=gopher", "data.quality.limits.min_words=20"])
    limits = recipe.data.quality.limits_in_force
    assert limits.min_words == 20
    assert limits.max_words == 100_000
    assert limits.given == {**GOPHER.given, "min_words": 20}
    assert Limits().given == FILTERS["none"].given == {}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("filters=gofer", "data.quality.filters knows no 'gofer'; did you mean gopher?"),
        ("filter=gopher", "unknown key data.quality.filter; did you mean data.quality.filters?"),
        (
            "limits.min_word=3",
            "unknown key data.quality.limits.min_word; did you mean data.quality.limits.min_words?",
        ),
        ("limits.min_words=-1", "min_words=-1 must not be negative"),
        ("limits.max_symbol_share=2", r"max_symbol_share=2.0 must lie between 0 and 1"),
        ("limits={min_words=9, max_words=8}", "min_words=9 is more than max_words=8"),
        ("limits.max_top_ngram_shares=[0.1]", "max_top_ngram_shares has 1 numbers and needs 3"),
        ("limits.max_duplicate_ngram_shares=[0.1, 2, 0, 0, 0, 0]", "must lie between 0 and 1"),
        ("near_duplicates=0.3", r"near_duplicates=0.3 must be 0 \(off\) or lie between 0.5 and 1"),
        ("near_duplicates=nan", "near_duplicates=nan must be 0"),
        ("contamination=dorp", "data.quality.contamination knows no 'dorp'; did you mean drop?"),
        ("contamination_tasks=[]", "contamination_tasks is empty; name a task or suite"),
    ],
)
def test_what_cannot_be_meant_is_refused(override, message):
    with pytest.raises(BadInput, match=message):
        load_recipe("quickstart", overrides=[f"data.quality.{override}"])


def test_limits_that_contradict_those_of_the_set_are_refused():
    with pytest.raises(BadInput, match="min_words=50 is more than max_words=8"):
        load_recipe("quickstart", overrides=["data.quality.filters=gopher", "data.quality.limits.max_words=8"])


def test_the_documents_list_every_key_with_its_numbers():
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    page = page.partition("## What is left out")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    defaults = {row[0].strip("`"): row[1].strip("`") for row in rows if len(row) == 3}
    settings = QualitySettings()
    assert defaults == {
        each.name: "" if each.name == "limits" else shown(getattr(settings, each.name)) for each in fields(settings)
    }
    stated = {}
    for names, mild, gopher, _ in (row for row in rows if len(row) == 4):
        listed = [name for name in Limits.__dataclass_fields__ if f"`{name}`" in names]
        for number, name in enumerate(sorted(listed, key=names.index)):
            stated[name] = (value_of(mild, number, len(listed)), value_of(gopher, number, len(listed)))
    assert stated == {
        name: (shown(getattr(MILD, name)), shown(getattr(GOPHER, name))) for name in Limits.__dataclass_fields__
    }


def shown(value):
    if isinstance(value, tuple):
        return str([*value]).replace("'", '"')
    return "" if value is None else f"{value:,}".removesuffix(".0") if isinstance(value, int | float) else value


def value_of(cell, number, count):
    """One of several in a cell; a row of one limit may hold its numbers for several sizes."""
    if not cell:
        return ""
    numbers = cell.split(", ")
    return numbers[number] if count > 1 or len(numbers) == 1 else str([float(each) for each in numbers])
