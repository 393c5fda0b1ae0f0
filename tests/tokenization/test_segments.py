import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smidgen.errors import BadInput
from smidgen.tokenization import segments as module
from smidgen.tokenization.segments import SEGMENT_CHARACTERS, segments

from .sample_text import sample_texts


def test_a_short_text_stays_whole():
    assert list(segments("")) == [""]
    assert list(segments("a b")) == ["a b"]


def test_a_long_text_is_cut_before_blanks_and_nothing_is_lost():
    text = "word " * SEGMENT_CHARACTERS
    parts = list(segments(text))
    assert "".join(parts) == text
    assert len(parts) == 5
    assert all(part.startswith(" ") for part in parts[1:])


def test_a_long_text_without_blanks_stays_whole():
    assert len(list(segments("x" * 3 * SEGMENT_CHARACTERS))) == 1


@given(text=st.text(alphabet="a.1é \n\t\r\x1c\x85\xa0\u2028=", max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cuts_never_change_the_ids(tokenizer, monkeypatch, text):
    monkeypatch.setattr(module, "SEGMENT_CHARACTERS", 10**9)
    whole = tokenizer.encode(text)
    monkeypatch.setattr(module, "SEGMENT_CHARACTERS", 1)
    assert tokenizer.encode(text) == whole


def test_cuts_never_change_the_ids_of_a_long_text(tokenizer, monkeypatch):
    text = " ".join(sample_texts(40, seed=11))
    whole = tokenizer.encode(text)
    monkeypatch.setattr(module, "SEGMENT_CHARACTERS", 50)
    assert len(list(segments(text))) > 100
    assert tokenizer.encode(text) == whole


def test_a_lone_surrogate_is_refused_with_its_place():
    with pytest.raises(BadInput, match=r"lone surrogate \(U\+D83D\) at character 2.*errors='replace'"):
        list(segments("ab\ud83d"))
