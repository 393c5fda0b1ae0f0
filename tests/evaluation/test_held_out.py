import gzip
import lzma
import math

import pytest

from smidgen.evaluation.held_out import (
    HeldOutDocument,
    compressed_bits_per_byte,
    document_nats,
    score_held_out,
)
from smidgen.evaluation.log_likelihood import token_log_probabilities


def test_every_token_after_the_separator_is_predicted_once(uniform_decoder):
    documents = [HeldOutDocument(tuple(range(length)), 5 * length) for length in (2, 17, 18, 40)]
    nats = document_nats(uniform_decoder, documents)
    assert nats == pytest.approx([(length - 1) * math.log(61) for length in (2, 17, 18, 40)], rel=1e-6)


def test_pieces_of_a_long_document_see_the_token_before_them(decoder):
    # Two whole windows of 16 after the separator: the last piece has nothing more to see.
    document = HeldOutDocument(tuple(range(33)), 100)
    expected = -sum(value for value in token_log_probabilities(decoder, document.ids) if value is not None)
    assert document_nats(decoder, [document])[0] == pytest.approx(expected, rel=1e-5)


def test_bits_per_byte_divides_by_the_bytes_of_the_text(uniform_decoder):
    score = score_held_out(uniform_decoder, [HeldOutDocument(tuple(range(11)), 20)] * 3)
    assert score.value == pytest.approx(10 * math.log2(61) / 20, rel=1e-6)
    assert score.n == 3


def test_compressors_are_the_ones_on_every_machine():
    text = b"the quick brown fox jumps over the lazy dog. " * 50
    assert compressed_bits_per_byte(text) == {
        "gzip": 8 * len(gzip.compress(text, 9, mtime=0)) / len(text),
        "xz": 8 * len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)) / len(text),
    }


def test_no_text_has_no_rate():
    with pytest.raises(ValueError, match="no text"):
        compressed_bits_per_byte(b"")
