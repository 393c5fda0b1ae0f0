import re
import xml.etree.ElementTree as ElementTree

from smidgen.reports.charts.length_chart import draw, lines, panels
from smidgen.reports.stored.scores import Score


def score(part, value, task="arithmetic-length"):
    name = f"{task}/{part}" if part else task
    return Score(
        task=name,
        metric="exact_match",
        value=value,
        low=value / 2,
        high=value / 2 + 0.5,
        n=50,
        ties=0,
        truncated=0,
        baselines={},
    )


SCORES = (
    score("", 0.5),
    score("sums", 0.6),
    *(score(f"sums of {count} digit{'s' if count > 1 else ''}", 1 - count / 20) for count in (10, 9, *range(1, 9))),
    score("products of 1 digit", 0.75),
    score("products of 2 digits", 0.25),
    score("sums of 3 digits", 0.1, task="other"),
)


def test_each_kind_is_a_line_from_short_to_long():
    sums, products = lines(SCORES)
    assert (sums.name, [point.at for point in sums.points]) == ("sums", list(range(1, 11)))
    assert [point.value for point in products.points] == [0.75, 0.25]
    assert [panel.name for panel in panels(SCORES)] == ["Sums and differences", "Products"]


def test_without_the_task_there_is_nothing_to_draw():
    assert lines((score("sums of 3 digits", 0.1, task="other"),)) == []


def test_a_length_tells_only_what_was_asked_at_that_length():
    tree = ElementTree.fromstring(draw(SCORES, 720))
    tips = [node.get("data-tip") for node in tree.iter() if node.get("data-tip")]
    assert len(tips) == 10
    assert re.sub(r"\s+", " ", tips[1]) == "2 digits sums and differences 90.0% products 25.0%"
    assert re.sub(r"\s+", " ", tips[9]) == "10 digits sums and differences 50.0%"
