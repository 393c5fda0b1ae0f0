"""What each type of GGUF file costs a model, in words and as a page."""
