import pytest
from tokenizers.pre_tokenizers import ByteLevel

from smidgen.tokenization.byte_symbols import byte_symbols, bytes_of


def test_symbols_are_those_of_the_library():
    symbols = byte_symbols()
    assert sorted(symbols) == sorted(ByteLevel.alphabet())
    for byte, character in enumerate(map(chr, range(128))):
        ((piece, _),) = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(character)
        assert symbols[byte] == piece


def test_every_byte_comes_back_from_its_symbol():
    assert bytes_of()("".join(byte_symbols())) == bytes(range(256))


def test_other_characters_are_no_symbols():
    with pytest.raises(KeyError):
        bytes_of()(" ")
