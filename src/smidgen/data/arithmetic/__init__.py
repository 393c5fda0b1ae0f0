"""The "arithmetic" source: integer equations, by default in the nine forms of ArithMark 2, and test items like them.

One expression in twenty is held out by a hash of its text: training documents never hold it and test items
hold nothing else, so the check for contamination is exact and needs no list.
"""

from smidgen.data.arithmetic.carrying import carries_of
from smidgen.data.arithmetic.distractors import options
from smidgen.data.arithmetic.documents import arithmetic_documents
from smidgen.data.arithmetic.expression import OPERATORS, Equation, value_of
from smidgen.data.arithmetic.hold_out import is_held_out
from smidgen.data.arithmetic.items import ArithmeticItem, arithmetic_items
from smidgen.data.arithmetic.lengths import equations_by_length
from smidgen.data.arithmetic.remarks import remarks
from smidgen.data.arithmetic.steps import solution
from smidgen.data.arithmetic.weighted import Draw

__all__ = [
    "OPERATORS",
    "ArithmeticItem",
    "Draw",
    "Equation",
    "arithmetic_documents",
    "arithmetic_items",
    "carries_of",
    "equations_by_length",
    "is_held_out",
    "options",
    "remarks",
    "solution",
    "value_of",
]
