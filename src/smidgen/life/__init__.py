"""The whole life of a model: its stages in order, each reading and writing the run folder."""
