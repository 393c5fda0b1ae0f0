"""Ways to train the same model, each in a process of its own, for `training_speed.py`."""
