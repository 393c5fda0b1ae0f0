"""Keys of a GGUF file that only our own programs write."""

# JSON: which control token has which role, and the fingerprint of the tokenizer.
TOKENIZER_KEY = "smidgen.tokenizer"
