"""Numbers of parameters and tokens as people write them: 5M, 4.9e6, 5_000_000."""

import math
import re

from smidgen.errors import BadInput

UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
FORM = re.compile(
    r"(?P<number>[0-9][0-9_,]*(?:\.[0-9]+)?(?:e\+?[0-9]{1,2})?|\.[0-9]+)(?P<unit>[kmbt]?)", re.IGNORECASE
)


def count_from(text: str, *, option: str) -> int:
    """The number, rounded to a whole one. ``option`` names it in messages. Raises ``BadInput`` for anything else."""
    found = FORM.fullmatch(text.strip())
    number = float(re.sub("[_,]", "", found["number"])) * UNITS[found["unit"].lower()] if found else math.nan
    if not 1 <= number < 1e18:
        raise BadInput(f"{option} {text} must be a positive number such as 5M, 4.9e6 or 5_000_000")
    return round(number)
