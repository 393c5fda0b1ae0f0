"""The tokenizers of exports, as transformers loads them."""

import copy
import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from smidgen.export.hugging_face import export_hugging_face
from smidgen.recipes.tokenizer import SpecialTokens, TokenizerSettings

from ..tokenization.awkward_text import awkward_texts
from .tiny import ARITHMETIC, CLOSING, PLAIN, RULES, tiny_model

KINDS = {
    "no rules": PLAIN,
    "digits": ARITHMETIC,
    "capitals": TokenizerSettings(case_mapping=True),
    "both": RULES,
    "closing": CLOSING,
    "all": replace(RULES, close_numbers=True),
    # One name begins another, and either rule would change it.
    "awkward control tokens": TokenizerSettings(
        digits="reversed", case_mapping=True, special_tokens=SpecialTokens(bos="<S", eos="<S12>")
    ),
}
# Made by `make readers`.
TRANSFORMERS_4 = Path(sys.prefix, "transformers-4", "bin", "python")
READER = Path(__file__).parents[1] / "tokenization" / "read_by_transformers.py"
TEXTS = [
    "",
    "The cats of NASA, McDonald and me in 2024: 1234567.",
    "12 + 34 = 46\n(7 - 10) * 3 = -9\n",
    "naïve café, 東京 🙂\r\n\ttab  ",
    "stray markers \x0e\x0f\x10\x11 A\x0eB 1\x102 \x12\x1b 4\x13",
    " The  THE\n\nThe 00700 " + 65 * "12",
]


class Exported:
    """A tokenizer of ours and what transformers makes of its export."""

    def __init__(self, folder, kind):
        model = tiny_model(kind)
        export_hugging_face(model, folder, check=False)
        self.folder = folder
        self.ours = model.tokenizer
        has_rules = any(vars(self.ours.definition.rules).values())
        self.theirs = AutoTokenizer.from_pretrained(folder, trust_remote_code=has_rules)


@pytest.fixture(scope="module", params=KINDS)
def exported(request, tmp_path_factory):
    return Exported(tmp_path_factory.mktemp("exports") / "out", KINDS[request.param])


@pytest.fixture(scope="module")
def ruled(tmp_path_factory):
    return Exported(tmp_path_factory.mktemp("exports") / "out", KINDS["all"])


def test_every_way_of_encoding_gives_our_ids(exported):
    expected = [exported.ours.encode(text) for text in TEXTS]
    theirs = exported.theirs
    assert [theirs(text)["input_ids"] for text in TEXTS] == expected
    assert theirs(TEXTS)["input_ids"] == expected
    assert theirs(tuple(TEXTS))["input_ids"] == expected
    assert [theirs.encode(text, add_special_tokens=False) for text in TEXTS] == expected
    assert [theirs.convert_tokens_to_ids(theirs.tokenize(text)) for text in TEXTS] == expected
    assert theirs(TEXTS[1], return_tensors="pt")["input_ids"].tolist() == [expected[1]]


def test_pairs_are_encoded_as_two_texts(exported):
    first, second = exported.ours.encode(TEXTS[1]), exported.ours.encode(TEXTS[2])
    assert exported.theirs(TEXTS[1], TEXTS[2])["input_ids"] == first + second
    assert exported.theirs([TEXTS[1]], [TEXTS[2]])["input_ids"] == [first + second]


def test_every_way_of_decoding_gives_the_text_back(exported):
    theirs = exported.theirs
    ids = [exported.ours.encode(text) for text in TEXTS]
    assert [theirs.decode(row) for row in ids] == TEXTS
    assert theirs.batch_decode(ids) == TEXTS
    assert [theirs.convert_tokens_to_string(theirs.convert_ids_to_tokens(row)) for row in ids] == TEXTS
    assert theirs.decode(ids[1][0]) == exported.ours.decode(ids[1][:1])


@given(
    text=st.text(
        alphabet=st.one_of(st.sampled_from("0189aZ \n+=(\x0e\x0f\x10\x11\x12\x1bé"), st.characters(codec="utf-8"))
    )
)
@settings(max_examples=150, deadline=None)
def test_any_text_gets_our_ids_and_comes_back(ruled, text):
    ids = ruled.theirs(text)["input_ids"]
    assert ids == ruled.ours.encode(text)
    assert ruled.theirs.decode(ids) == text


@given(ids=st.lists(st.integers(0, 289), max_size=12), skip=st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_a_model_writes_is_decoded_as_we_decode_it(ruled, ids, skip):
    assert ruled.theirs.decode(ids, skip_special_tokens=skip) == ruled.ours.decode(ids, skip_special=skip)


def test_a_control_token_in_a_text_is_recognised_and_untouched_by_the_rules(exported):
    for name, token_id in exported.ours.special_ids.items():
        token = getattr(exported.ours.definition.special_tokens, name)
        before, after = exported.ours.encode("In 12"), exported.ours.encode("34 The")
        ids = exported.theirs(f"In 12{token}34 The")["input_ids"]
        assert ids == [*before, token_id, *after]
        assert exported.theirs.decode(ids) == f"In 12{token}34 The"
        assert exported.theirs.decode(ids, skip_special_tokens=True) == "In 1234 The"


def test_control_tokens_can_be_read_as_text(exported):
    token = exported.ours.definition.special_tokens.end_of_text
    ids = exported.theirs(f"12{token}34", split_special_tokens=True)["input_ids"]
    assert ids == exported.ours.encode(f"12{token}34")
    assert exported.theirs("12")["input_ids"] == exported.ours.encode("12")


def test_offsets_are_refused_because_they_would_be_wrong(ruled):
    with pytest.raises(NotImplementedError, match="offsets"):
        ruled.theirs("In 12", return_offsets_mapping=True)


def test_the_code_and_not_the_file_applies_the_rules(ruled, monkeypatch):
    """Both would undo each other on digits. And without rules none of these tests could notice their absence."""
    expected = ruled.ours.encode("In 2024")
    assert ruled.theirs("In 2024")["input_ids"] == expected
    monkeypatch.setitem(ruled.theirs.init_kwargs, "text_rules", {})
    assert ruled.theirs("In 2024")["input_ids"] != expected


def test_without_trust_in_the_code_the_file_gives_the_same_ids(exported):
    alone = AutoTokenizer.from_pretrained(exported.folder, trust_remote_code=False)
    assert type(alone).__module__.startswith("transformers.")
    assert isinstance(alone, PreTrainedTokenizerFast)
    assert alone(TEXTS)["input_ids"] == exported.theirs(TEXTS)["input_ids"] == exported.ours.encode_batch(TEXTS)
    assert alone.batch_decode(alone(TEXTS)["input_ids"]) == TEXTS


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda tokenizer: pickle.loads(pickle.dumps(tokenizer))])
def test_a_copy_of_a_tokenizer_that_has_been_used_is_one(ruled, copied):
    ids = ruled.theirs(TEXTS)["input_ids"]
    assert copied(ruled.theirs)(TEXTS)["input_ids"] == ids
    assert copied(ruled.theirs).batch_decode(ids) == TEXTS


def test_saving_with_transformers_and_loading_again_changes_nothing(exported, tmp_path):
    ids = exported.theirs(TEXTS)["input_ids"]
    exported.theirs.save_pretrained(tmp_path / "again")
    again = AutoTokenizer.from_pretrained(tmp_path / "again", trust_remote_code=True)
    assert again(TEXTS)["input_ids"] == ids
    assert again.batch_decode(ids) == TEXTS
    # Not by AutoTokenizer: transformers has put the name of the class that saved into the folder.
    alone = PreTrainedTokenizerFast.from_pretrained(tmp_path / "again")
    assert alone(TEXTS)["input_ids"] == ids


@pytest.mark.soak
@pytest.mark.skipif(not TRANSFORMERS_4.exists(), reason="needs transformers 4.57: `make readers`")
@pytest.mark.parametrize("trusted", [[], ["code"]], ids=["without code", "with code"])
def test_version_4_of_transformers_gives_our_ids(ruled, trusted, tmp_path):
    texts = awkward_texts(300, seed=8)
    done = subprocess.run(
        [TRANSFORMERS_4, READER, ruled.folder, *trusted],
        input=json.dumps(texts),
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    assert [answer["ids"] for answer in answers] == ruled.ours.encode_batch(texts)
    assert [answer["decoded"] for answer in answers] == texts
