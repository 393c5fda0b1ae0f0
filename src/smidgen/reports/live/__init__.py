"""The page of a run that is not over: written again and again, opened from the disk, with nothing to load."""
