"""Scoring a model, with intervals and the baselines that a score must be held against."""
