"""Ablations carried out: trials as run folders, in processes that share a store of tokenizers and shards."""
