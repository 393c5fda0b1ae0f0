"""Numbers as people read them: "1.03M", "4 min 12 s", "61.2%"."""

# Between a number and its unit, so that no line ends there.
NO_BREAK = "\u00a0"
MINUS = "\u2212"

_COUNT_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
# Decimal units, as disks and model hubs count.
_BYTE_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def count(number: float) -> str:
    """Three significant digits with a unit: 1034240 -> "1.03M", 512 -> "512"."""
    return _with_unit(number, _COUNT_UNITS, "")


def size(number_of_bytes: float) -> str:
    return _with_unit(number_of_bytes, _BYTE_UNITS, NO_BREAK, smallest="B")


def exact(number: int) -> str:
    return f"{number:,}"


def percent(fraction: float, digits: int = 1) -> str:
    return f"{100 * fraction:.{digits}f}%"


def bits(bits_per_byte: float) -> str:
    return f"{bits_per_byte:.2f}"


def rate(learning_rate: float) -> str:
    return f"{learning_rate:.3g}"


def duration(seconds: float) -> str:
    """The two largest units that matter: "0.4 s", "41 s", "4 min 12 s", "2 h 05 min", "3 d 4 h"."""
    return _duration(seconds).replace(" ", NO_BREAK)


def listing(words: list[str], most: int | None = None) -> str:
    """ "a", "a and b", "a, b and c"; of more than ``most`` "a, b and 7 more"."""
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _duration(seconds: float) -> str:
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min" if minutes % 60 else f"{minutes // 60} h"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def _with_unit(number: float, units: tuple[tuple[float, str], ...], space: str, smallest: str = "") -> str:
    for position, (factor, unit) in enumerate(units):
        # 999,600 must not become "1000k".
        if number >= factor * 0.9995 or (position == len(units) - 1 and number >= factor):
            return f"{_three_digits(number / factor)}{space}{unit}"
    return f"{_three_digits(number)}{space if smallest else ''}{smallest}"


def _three_digits(number: float) -> str:
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
