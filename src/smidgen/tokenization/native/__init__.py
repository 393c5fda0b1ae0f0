"""An encoder in C++ that gives what `tokenizers` gives, only sooner."""
