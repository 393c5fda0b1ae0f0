"""Simple English sentences, written by rule: paragraphs to train on and held-out minimal pairs to test with."""

from smidgen.data.grammar.pair import PHENOMENA, MinimalPair, minimal_pairs
from smidgen.data.grammar.paragraph import grammar_documents

__all__ = ["PHENOMENA", "MinimalPair", "grammar_documents", "minimal_pairs"]
