"""Where a run's measurements go besides ``measurements.jsonl``; none of it can stop the run."""
