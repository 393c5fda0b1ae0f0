"""Training loss, held-out bits per byte and learning rate over the trained tokens.

Three panels, because nats per token and bits per byte are different units and share no axis.
"""

from bisect import bisect_right
from dataclasses import dataclass

from markupsafe import Markup

from smidgen.reports import words
from smidgen.reports.charts import svg
from smidgen.reports.charts.line_panels import token_axis
from smidgen.reports.charts.scale import Scale, decimals_of, room_around
from smidgen.reports.stored.training import HeldOutPoint, TrainingPoint, TrainingRecord

TITLE = "Training loss, held-out bits per byte and learning rate over trained tokens"
# More points than this are no longer told apart on a screen; they are averaged in groups.
MOST_POINTS = 360
MOST_STOPS = 90


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One measured quantity over tokens."""

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]
    height: int
    colour: str
    has_dots: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        values = [value for _, value in self.points]
        return (0.0, max(values) * 1.1 or 1.0) if self.name == "Learning rate" else room_around(values)

    @property
    def wanted_ticks(self) -> int:
        return 4 if self.height > 100 else 2

    def number(self, value: float) -> str:
        return words.rate(value) if self.name == "Learning rate" else f"{value:.2f}"


def panels(training: TrainingRecord) -> list[Panel]:
    """Only those that were measured."""
    points = thinned(training.points, MOST_POINTS)
    loss = tuple((point.tokens, point.loss) for point in points)
    held_out = tuple((point.tokens, point.bits_per_byte) for point in training.held_out)
    rates = tuple((point.tokens, point.learning_rate) for point in points if point.learning_rate is not None)
    all_panels = [
        Panel(name="Training loss", unit="nats per token", points=loss, height=170, colour="s1"),
        Panel(name="Held-out text", unit="bits per byte", points=held_out, height=130, colour="s2", has_dots=True),
        Panel(name="Learning rate", unit="", points=rates, height=52, colour="s6"),
    ]
    return [panel for panel in all_panels if panel.points]


def thinned(points: tuple[TrainingPoint, ...], most: int) -> list[TrainingPoint]:
    """At most so many points: each the last of its group, with the group's mean loss."""
    size = -(-len(points) // most) or 1
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [_mean(group) for group in groups]


def draw(training: TrainingRecord, width: int) -> Markup:
    left, right, top, gap = 44, 44, 26, 44
    across = Scale(0, max(1, training.tokens), left, width - right)
    parts: list[Markup] = []
    places: list[tuple[Panel, Scale]] = []
    for panel in panels(training):
        down = Scale(*panel.limits, top + panel.height, top)
        parts += _frame(panel, across, down)
        parts.append(_curve(panel, across, down))
        places.append((panel, down))
        top += panel.height + gap
    bottom = top - gap
    parts += token_axis(across, bottom, wanted=6 if width > 500 else 5)
    parts += [_stop(stop, training, across, bottom, places) for stop in _stops(training)]
    return svg.drawing(TITLE, width, bottom + 36, parts, "loss-curve")


def _mean(group: tuple[TrainingPoint, ...]) -> TrainingPoint:
    last = group[-1]
    return TrainingPoint(
        step=last.step,
        tokens=last.tokens,
        seconds=last.seconds,
        loss=sum(point.loss for point in group) / len(group),
        learning_rate=last.learning_rate,
        tokens_per_second=last.tokens_per_second,
    )


def _frame(panel: Panel, across: Scale, down: Scale) -> list[Markup]:
    ticks = down.ticks(panel.wanted_ticks)
    name = f"{panel.name}, {panel.unit}" if panel.unit else panel.name
    return [
        svg.label(0, down.end - 12, name, class_="name"),
        *(svg.line(across.start, down(tick), across.end, down(tick), "grid") for tick in ticks),
        *(
            svg.label(across.start - 8, down(tick) + 4, tick_words(panel, tick, ticks), anchor="end", class_="quiet")
            for tick in ticks
        ),
    ]


def tick_words(panel: Panel, tick: float, ticks: list[float]) -> str:
    return words.rate(tick) if panel.name == "Learning rate" else f"{tick:.{decimals_of(ticks)}f}"


def _curve(panel: Panel, across: Scale, down: Scale) -> Markup:
    points = [(across(tokens), down(value)) for tokens, value in panel.points]
    dotted = points if panel.has_dots else []
    dots = [svg.element("circle", cx=x, cy=y, r=2.5, class_=panel.colour) for x, y in dotted]
    x, y = points[-1]
    last = svg.label(x + 6, y + 4, panel.number(panel.points[-1][1]), class_="value")
    return svg.group([svg.polyline(points, f"curve {panel.colour}"), *dots, last])


def _stops(training: TrainingRecord) -> list[TrainingPoint | HeldOutPoint]:
    """Where the reader can read values off."""
    return list(thinned(training.points, MOST_STOPS) or training.held_out)


def _stop(
    stop: TrainingPoint | HeldOutPoint,
    training: TrainingRecord,
    across: Scale,
    bottom: float,
    places: list[tuple[Panel, Scale]],
) -> Markup:
    half = max(2.0, (across.end - across.start) / MOST_STOPS / 2)
    x = across(stop.tokens)
    marks = [
        svg.element("circle", cx=across(last[0]), cy=down(last[1]), r=4, class_=f"ring {panel.colour}")
        for panel, down in places
        if (last := _last_measured(panel, stop.tokens))
    ]
    return svg.group(
        [
            svg.bar(x - half, 8, 2 * half, bottom - 8, "catch"),
            svg.line(x, 16, x, bottom, "cross"),
            *marks,
        ],
        class_="mark",
        data_tip=_tip(stop, training, [panel for panel, _ in places]),
    )


def _last_measured(panel: Panel, tokens: float) -> tuple[float, float] | None:
    """The last point up to there: held-out text is measured more rarely than the loss."""
    index = bisect_right(panel.points, tokens, key=lambda point: point[0])
    return panel.points[index - 1] if index else None


def _tip(stop: TrainingPoint | HeldOutPoint, training: TrainingRecord, shown: list[Panel]) -> str:
    values = [
        f"{panel.name.lower()} {panel.number(last[1])} {panel.unit}".rstrip()
        for panel in shown
        if (last := _last_measured(panel, stop.tokens))
    ]
    place = f"{words.count(stop.tokens)} tokens, step {words.exact(stop.step)}, {words.duration(stop.seconds)}"
    return "\n".join([place, *values])


def table_rows(training: TrainingRecord, most: int = 24) -> list[HeldOutPoint]:
    """Held-out measurements for reading as numbers: all, or evenly chosen ones with the first and the last."""
    points = training.held_out
    if len(points) <= most:
        return list(points)
    return [points[round(number * (len(points) - 1) / (most - 1))] for number in range(most)]
