"""All kinds of word problems."""

from smidgen.data.word_problems.stories import counting, dividing, measuring, money, spending_time
from smidgen.data.word_problems.template import Template

TEMPLATES: tuple[Template, ...] = (
    *counting.TEMPLATES,
    *dividing.TEMPLATES,
    *money.TEMPLATES,
    *measuring.TEMPLATES,
    *spending_time.TEMPLATES,
)
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(template.category for template in TEMPLATES))
