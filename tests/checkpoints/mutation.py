"""Files whose headers were changed at random, and what may come of opening them."""

import gc
import random
import struct
import time
import tracemalloc

from smidgen.errors import BadInput

# Of the contract for files by others: what one may cost.
MOST_SECONDS, MOST_BYTES = 0.05, 50e6


def mutated(content, header, draw):
    """A copy with one to three faults in the header, or cut off there."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 3)):
        place, fault = draw.randrange(header.start, header.stop), draw.randrange(4)
        if fault == 0:
            changed[place] ^= 1 << draw.randrange(8)
        elif fault == 1:
            changed[place : place + 8] = struct.pack(
                "<Q", draw.choice((0, 1, 2**16, 2**31, 2**32 - 1, 2**63, 2**64 - 1))
            )
        elif fault == 2:
            del changed[place : place + draw.randint(1, 64)]
        else:
            changed[place:place] = draw.randbytes(draw.randint(1, 16))
    return bytes(changed[: draw.randrange(header.stop)] if draw.random() < 0.1 else changed)


def check_mutations(opened, path, header, count):
    """The processor seconds of the slowest of ``count`` calls of ``opened``, each with another fault among the bytes
    ``header`` of the file: only a clean error, or a model, and never more memory than is allowed.
    """
    content, draw = path.read_bytes(), random.Random(0)
    refused, slowest, largest = 0, 0.0, 0
    # What other tests have left is not looked through at the cost of these files.
    gc.collect()
    gc.freeze()
    for number in range(count):
        path.write_bytes(mutated(content, header, draw))
        is_measured = number % 20 == 0
        if is_measured:
            tracemalloc.start()
        started = time.process_time()
        try:
            opened()
        except BadInput:
            refused += 1
        seconds = time.process_time() - started
        if is_measured:
            largest = max(largest, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        else:
            slowest = max(slowest, seconds)
    gc.unfreeze()
    path.write_bytes(content)
    assert refused > 0.5 * count
    assert largest < MOST_BYTES
    return slowest
