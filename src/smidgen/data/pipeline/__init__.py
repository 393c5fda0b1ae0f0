"""Building data in three stages: parts are tokenised anywhere, one process decides, shards are written.

``processing`` is a pure function from a part to a part file; ``runner`` and its kin say where it runs; ``walk``
decides from the tables of part files alone what is kept, in the order of sources and parts, and hands it on.
"""
