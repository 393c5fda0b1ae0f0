"""Byte-level BPE, the reversible text rules around it, and what its folder holds. Nothing here imports torch.

A text goes: text rules -> splits -> byte symbols -> merges -> ids; decoding goes the same way back.
"""
