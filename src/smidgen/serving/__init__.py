"""A model behind HTTP: the completion API that other programs speak, on this machine alone."""
