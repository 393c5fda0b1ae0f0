"""Recipes: one TOML file defines a model completely. Nothing here imports torch."""
