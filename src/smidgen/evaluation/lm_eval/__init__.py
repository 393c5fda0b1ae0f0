"""The bridge to lm-evaluation-harness: our models in its tasks, and its tasks scored by us."""
