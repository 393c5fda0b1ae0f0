"""Pretraining: the schedule, the optimiser, the batches and the loop."""
