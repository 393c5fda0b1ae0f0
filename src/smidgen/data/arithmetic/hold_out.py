"""Which expressions only tests may show.

What counts is an expression together with its value: the whole left side of an equation, every stage of a solution
in steps, and every single operation that such a step works out. Part of a longer expression, whose value is not
given, does not count: "46 * 21 - 37 = 929" may be trained on where "46 * 21" is held out.
"""

import re
from hashlib import blake2b

ONE_IN_HELD_OUT = 20
SWAPPABLE = re.compile(r"(-?\d+)([+*])(-?\d+)")


def is_held_out(expression: str) -> bool:
    """Say whether an expression belongs to the test side; spaces do not matter."""
    digest = blake2b("".join(expression.split()).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ONE_IN_HELD_OUT == 0


def is_held_out_either_way(expression: str) -> bool:
    """The same, and for a sum or product of two numbers also whether it is held out with the two swapped."""
    if is_held_out(expression):
        return True
    pair = SWAPPABLE.fullmatch("".join(expression.split()))
    return pair is not None and is_held_out(f"{pair[3]}{pair[2]}{pair[1]}")
