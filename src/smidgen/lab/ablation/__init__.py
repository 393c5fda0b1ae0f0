"""Ablations: what is compared, under which budget, and what the trials say in the end. Nothing runs here."""
