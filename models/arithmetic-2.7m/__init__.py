"""The decoder. This folder needs torch and itself only, is flat, and is copied unchanged into exports.

``config`` is free of torch, so that planning commands may read it; nothing is imported here for that reason.

Shapes. Capital letters at the end of a tensor's name are its axes:
    B batch (1 where all rows share, as with positions)
    T tokens given now    S tokens seen so far (cache included)    C channels of the residual stream
    H query heads    K key-value heads    G = H / K query heads that share a key-value head
    D channels of one head    F channels inside the feed-forward layer    V vocabulary    R = D / 2 rotations
"""
