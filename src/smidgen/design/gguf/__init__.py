"""What a GGUF file calls a model's tensors and in which types it stores them, as llama.cpp does."""
