"""Parts of the training step in our own C++, for processors."""
