"""Learning merges from counted pre-tokens: by ``merge_learning.cpp``, or without a compiler by the library.

Both give the same merges. The library must be shown every pre-token as often as it occurs: for 4,096 tokens from
32 MB of Wikipedia that took 6.7 s of CPU, the C++ 0.48 s (November 2026).
"""

import ctypes
import functools
import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path

from tokenizers import Tokenizer as BytePairEncoder
from tokenizers import models, trainers

from smidgen.errors import OutOfResources
from smidgen.native.library import Unavailable, load_library
from smidgen.native.location import default_cache
from smidgen.tokenization.byte_symbols import byte_symbols

# A pair that occurs once teaches nothing; 2 is also the default of ByteLevelBPETokenizer.
MIN_FREQUENCY = 2
# Longer tokens are lines of dashes and indentations, each at the price of a row of the embedding. The library stops
# below this number: 31 was the longest with tokenizers 0.21 to 0.23.
MAX_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Learned:
    """Tokens in the order of their ids, the 256 bytes first, and the merges that make them in the order of their use.

    A token that can be made in several ways has as many merges.
    """

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]


def base_symbols() -> tuple[str, ...]:
    """The symbols of the 256 bytes in the order of their ids, which decides between equally frequent pairs."""
    return tuple(sorted(byte_symbols()))


def learn_merges(counts: Mapping[str, int], tokens: int) -> Learned:
    """At most ``tokens`` tokens, bytes included; fewer when the pairs that occur twice run out.

    ``counts`` are pre-tokens, written in byte symbols, with how often each occurs. Raises ``OutOfResources``.
    """
    try:
        learner = _library()
    except Unavailable:
        return _by_repetition(counts, tokens)
    return _learned(learner, counts, tokens)


@functools.cache
def _library() -> ctypes.CDLL:
    library = load_library(Path(__file__).with_name("merge_learning.cpp"), default_cache())
    library.learn_merges.restype = ctypes.c_int64
    return library


def _learned(learner: ctypes.CDLL, counts: Mapping[str, int], tokens: int) -> Learned:
    bases = base_symbols()
    to_id = {ord(symbol): chr(token_id) for token_id, symbol in enumerate(bases)}
    symbols = "".join(counts).translate(to_id).encode("latin-1")
    ends, occurrences = array("q", accumulate(map(len, counts))), array("q", counts.values())
    # One merge for each token, and few besides: those that make a token in a second way.
    room = 2 * tokens
    while True:
        merges = array("i", bytes(8 * room))
        number = learner.learn_merges(
            symbols,
            *(ctypes.c_void_p(each.buffer_info()[0]) for each in (ends, occurrences)),
            *map(ctypes.c_int64, (len(counts), tokens, MIN_FREQUENCY, MAX_TOKEN_BYTES)),
            ctypes.c_void_p(merges.buffer_info()[0]),
            ctypes.c_int64(room),
        )
        if number < 0:
            raise OutOfResources(
                "the tokenizer's training ran out of memory; a smaller tokenizer.training_bytes needs less"
            )
        if number <= room:
            break
        room = number
    return _spelled([(merges[2 * i], merges[2 * i + 1]) for i in range(number)], bases)


def _spelled(pairs: list[tuple[int, int]], bases: tuple[str, ...]) -> Learned:
    """From ids. Of a pair that was joined twice the later place counts, as in the library."""
    tokens = list(bases)
    known = set(bases)
    merges: dict[tuple[str, str], None] = {}
    for left, right in pairs:
        merge = tokens[left], tokens[right]
        merges.pop(merge, None)
        merges[merge] = None
        token = "".join(merge)
        if token not in known:
            known.add(token)
            tokens.append(token)
    return Learned(tuple(tokens), tuple(merges))


def _by_repetition(counts: Mapping[str, int], tokens: int) -> Learned:
    encoder = BytePairEncoder(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=tokens,
        min_frequency=MIN_FREQUENCY,
        initial_alphabet=list(base_symbols()),
        max_token_length=MAX_TOKEN_BYTES,
        show_progress=False,
    )
    encoder.train_from_iterator(_repeated(counts), trainer)
    model = json.loads(encoder.to_str())["model"]
    in_order = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return Learned(tuple(in_order), tuple((left, right) for left, right in model["merges"]))


def _repeated(counts: Mapping[str, int]) -> Iterator[str]:
    """Without a pre-tokenizer the library takes each text for one pre-token."""
    for pre_token, count in counts.items():
        yield from repeat(pre_token, count)
