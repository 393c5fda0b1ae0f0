"""The few SVG elements that the charts are made of. Colours are classes: the page's style sheet decides them."""

from collections.abc import Iterable

from markupsafe import Markup, escape

# Mean width of a character of a system font, as a part of its size: assumed, generous for lower case.
_CHARACTER_WIDTH = 0.56
FONT_SIZE = 12
# The style sheet has as many colours of series.
SERIES_COLOURS = 8


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """One element. Texts are escaped, ``Markup`` is kept; ``class_`` and ``data_tip`` are spelt with a dash."""
    # Put together as plain text, each part escaped by itself: Markup.format takes five times as long.
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    content = "".join(escape(child) for child in children)
    return Markup(f"<{tag}{written}>{content}</{tag}>")


def group(children: Iterable[str], **attributes: str | float | None) -> Markup:
    return element("g", *children, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def label(x: float, y: float, words: str, *, anchor: str = "start", class_: str | None = None) -> Markup:
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=class_)


def polyline(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    return element("polyline", points=_pairs(points), class_=class_)


def polygon(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    return element("polygon", points=_pairs(points), class_=class_)


def bar(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    return element("rect", x=x, y=y, width=max(0.0, width), height=height, class_=class_)


def series(number: int) -> str:
    """The name of a series' colour; after the last, the first again."""
    return f"s{number % SERIES_COLOURS + 1}"


def drawing(title: str, width: float, height: float, children: Iterable[str], class_: str) -> Markup:
    """A whole chart. The title is what a screen reader says; the numbers stand in a table beside each chart.

    A chart with marks to read off takes the keyboard's focus: the arrow keys go from mark to mark.
    """
    content = [element("title", title), *children]
    return element(
        "svg",
        *content,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        tabindex=0,
        aria_label=title,
        class_=f"chart {class_}",
    )


def shortened(words: str, width: float) -> str:
    """As much of a text as fits into a width in pixels."""
    fitting = max(1, int(width / (FONT_SIZE * _CHARACTER_WIDTH)))
    return words if len(words) <= fitting else words[: fitting - 1].rstrip() + "…"


def _pairs(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_value(x)},{_value(y)}" for x, y in points)


def _attribute(value: str | float) -> Markup:
    """A line break is written as a number: XML would read a plain one as a blank."""
    return escape(_value(value)).replace("\n", Markup("&#10;"))


def _value(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
