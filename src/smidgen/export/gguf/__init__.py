"""GGUF files of every type, as llama.cpp's own programs would write them, and what each type costs."""
