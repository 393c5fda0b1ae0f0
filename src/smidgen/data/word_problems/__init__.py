"""Word problems told after templates, in the form of ArithMark 3: a story that breaks off before its result.

A problem is held out for tests where its formula is, by the hash that holds out equations: so no test problem has the
numbers of a training problem of its kind, and none is the story of an equation that was trained on.
"""

from smidgen.data.word_problems.documents import word_problem_documents
from smidgen.data.word_problems.items import WordProblemItem, word_problem_items
from smidgen.data.word_problems.templates import CATEGORIES

__all__ = ["CATEGORIES", "WordProblemItem", "word_problem_documents", "word_problem_items"]
