"""Benchmarks as data: documents in, items out, each scored by log-probabilities alone."""
