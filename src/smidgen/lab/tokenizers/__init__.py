"""Tokenizers held against each other: on the same texts, and in models of the same number of parameters."""
