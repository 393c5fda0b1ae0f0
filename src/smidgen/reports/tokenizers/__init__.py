"""What ``smidgen tokenizer inspect`` found, as pictures and as a page."""
