"""Datasets of the Hugging Face hub: which files they are, and reading stretches of them without a download."""
