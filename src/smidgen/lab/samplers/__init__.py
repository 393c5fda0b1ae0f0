"""How a model should be sampled: texts drawn under many settings, measured, and one setting recommended."""
