"""Names and things that problems are about.

All plurals end in a plain -s, so that "1 shell" needs no list of exceptions.
"""


def unit(plural: str, count: int) -> str:
    """The word after a number: "shells", and "shell" after 1."""
    return plural[:-1] if count == 1 else plural


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words("""
    Ada Boris Clara Dev Elif Femi Greta Hugo Ines Jonas Kofi Lena Mei Nils Olga Pavel Rosa Samir Tilda Uma Viktor
    Wanda Yusuf Zoe Amir Bruno Carmen Dalia Emil Farah Goran Hana Ivan Jun Katja Luis Mona Noor Oscar Petra
""")
KEPT = _words("shells stickers coins marbles beads cards stamps buttons feathers badges postcards pebbles")
FRUITS = _words("apples plums pears lemons oranges melons apricots bananas figs limes")
BAKED = _words("rolls muffins pancakes cookies pies buns pretzels waffles")
SOLD = _words("pencils notebooks rulers erasers markers envelopes folders candles magnets ribbons")
MADE = _words("chairs lamps kites baskets vases hats drums puppets toys belts")
PLANTS = _words("trees roses tulips ferns seedlings shrubs")
