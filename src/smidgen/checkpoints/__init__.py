"""Weights on disk: writing, verifying and opening them. Nothing here imports code from a model's folder."""
