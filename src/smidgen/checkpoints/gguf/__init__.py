"""Reading GGUF files as data: every length in them is doubted before it is used."""
