import json
import os
import random

import pytest
from transformers import AutoTokenizer

from smidgen.errors import BadInput
from smidgen.records.fingerprint import sha256_of_json
from smidgen.tokenization import folder
from smidgen.tokenization.tokenizer import Tokenizer


@pytest.fixture
def saved(trained, tmp_path):
    trained["everything"].save(tmp_path)
    return tmp_path


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_what_was_saved_is_opened(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    assert Tokenizer.open(tmp_path).definition == tokenizer.definition
    assert sorted(os.listdir(tmp_path)) == [
        "smidgen.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_saving_again_writes_the_same_bytes_over_an_older_tokenizer(trained, tmp_path):
    trained["plain"].save(tmp_path / "a")
    trained["cased"].save(tmp_path / "b")
    (tmp_path / "b" / "config.json").write_text("{}")
    Tokenizer.open(tmp_path / "a").save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    assert (tmp_path / "b" / "config.json").exists()


def test_the_layout_of_the_files_does_not_matter(saved):
    before = Tokenizer.open(saved)
    for name in ("tokenizer.json", "smidgen.json"):
        edit(saved / name, lambda content: None)
    assert Tokenizer.open(saved).fingerprint == before.fingerprint


@pytest.mark.parametrize(("kind", "closes"), [("arithmetic", False), ("closing", True)])
def test_what_came_later_is_named_only_where_it_is_on(trained, kind, closes, tmp_path):
    """So that tokenizers from before there was such a rule are read, and keep their fingerprints."""
    trained[kind].save(tmp_path)
    content = json.loads((tmp_path / "smidgen.json").read_text())
    assert content["text_rules"].get("close_numbers", False) == content["splits"].get("closing", False) == closes
    assert ("close_numbers" in content["text_rules"], "closing" in content["splits"]) == (closes, closes)
    definition = trained[kind].definition
    plain = {
        "special_tokens": content["special_tokens"],
        "splits": content["splits"],
        "rules": content["text_rules"],
        "tokens": definition.tokens,
        "merges": definition.merges,
    }
    assert content["fingerprint"] == sha256_of_json(plain)
    assert Tokenizer.open(tmp_path).definition == definition


def nest(path):
    path.write_text("[" * 100_000)


DAMAGE = {
    "no smidgen.json": (lambda f: (f / "smidgen.json").unlink(), "holds no tokenizer of Smidgen"),
    "no tokenizer.json": (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    "another program": (
        lambda f: (f / "smidgen.json").write_text('{"format": "other"}'),
        'of another program: its "format" must be "smidgen-tokenizer"',
    ),
    "a list": (lambda f: (f / "smidgen.json").write_text("[]"), "of another program"),
    "a later version": (
        lambda f: edit(f / "smidgen.json", lambda c: c.update(version=2)),
        "has format version 2, this Smidgen reads version 1",
    ),
    "cut short": (
        lambda f: (f / "tokenizer.json").write_text((f / "tokenizer.json").read_text()[:5000]),
        "tokenizer.json is no readable JSON",
    ),
    "not UTF-8": (lambda f: (f / "tokenizer.json").write_bytes(b'"\xff"'), "no readable JSON"),
    "empty": (lambda f: (f / "tokenizer.json").write_text(""), "no readable JSON"),
    "nested": (lambda f: nest(f / "tokenizer.json"), "no readable JSON"),
    "nothing in it": (lambda f: (f / "tokenizer.json").write_text("{}"), "is damaged"),
    "a directory": (
        lambda f: ((f / "tokenizer.json").unlink(), (f / "tokenizer.json").mkdir()),
        "tokenizer.json cannot be read",
    ),
    "vocabulary is a list": (
        lambda f: edit(f / "tokenizer.json", lambda c: c["model"].update(vocab=["a"])),
        "is damaged",
    ),
    "merges are numbers": (
        lambda f: edit(f / "tokenizer.json", lambda c: c["model"].update(merges=[[1, 2]])),
        "is damaged",
    ),
    "a merge lost": (lambda f: edit(f / "tokenizer.json", lambda c: c["model"]["merges"].pop()), "is damaged"),
    "merges swapped": (
        lambda f: edit(f / "tokenizer.json", lambda c: c["model"]["merges"].reverse()),
        "is not the one that was written",
    ),
    "two tokens with one id": (
        lambda f: edit(f / "tokenizer.json", lambda c: c["model"]["vocab"].update(a=70)),
        "is damaged .the ids of the 600 tokens are not 0 to 599",
    ),
    "tokens swapped": (
        lambda f: edit(f / "tokenizer.json", lambda c: c["model"]["vocab"].update(a=70, b=69)),
        "is not the one that was written",
    ),
    "a rule changed": (
        lambda f: edit(f / "smidgen.json", lambda c: c["text_rules"].update(map_case=False)),
        "is not the one that was written",
    ),
    "other limits": (
        lambda f: edit(f / "smidgen.json", lambda c: c["limits"].update(most_digits=20)),
        "have the limits .*'most_digits': 20.*those of this Smidgen .*'most_digits': 64",
    ),
    "rules from before there were limits": (
        lambda f: edit(f / "smidgen.json", lambda c: c.pop("limits")),
        "have the limits None",
    ),
    "an unknown rule": (
        lambda f: edit(f / "smidgen.json", lambda c: c["text_rules"].update(rot13=True)),
        "is damaged",
    ),
    "a split changed": (
        lambda f: edit(f / "smidgen.json", lambda c: c["splits"].update(digits=False)),
        "is not the one that was written",
    ),
    "a special token renamed": (
        lambda f: edit(f / "smidgen.json", lambda c: c["special_tokens"].update(pad="<|pad|>")),
        "is damaged",
    ),
    "no fingerprint": (
        lambda f: edit(f / "smidgen.json", lambda c: c.pop("fingerprint")),
        "is not the one that was written",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_folder_that_is_not_whole_is_refused_in_one_sentence(saved, kind):
    damage, message = DAMAGE[kind]
    damage(saved)
    with pytest.raises(BadInput, match=message) as refused:
        Tokenizer.open(saved)
    assert str(saved) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_rules_their_limits_do_not_matter(trained, tmp_path):
    trained["plain"].save(tmp_path)
    edit(tmp_path / "smidgen.json", lambda content: content.pop("limits"))
    assert Tokenizer.open(tmp_path).definition == trained["plain"].definition


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere holds no tokenizer of Smidgen.*smidgen tokenizer train"):
        Tokenizer.open(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["tokenizer.json", "smidgen.json"])
def test_a_flipped_bit_is_refused_or_changes_nothing(trained, tmp_path, name):
    definition = trained["everything"].definition
    folder.write(definition, tmp_path)
    content = (tmp_path / name).read_bytes()
    draw = random.Random(5)
    refused = 0
    for _ in range(150):
        flipped = bytearray(content)
        flipped[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        (tmp_path / name).write_bytes(flipped)
        try:
            assert folder.read(tmp_path) == definition
        except BadInput:
            refused += 1
    assert refused > 30


def test_transformers_knows_the_control_tokens(trained, tmp_path):
    trained["single digits"].save(tmp_path, context_length=96)
    theirs = AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)
    found = (theirs.pad_token_id, theirs.bos_token_id, theirs.eos_token_id, theirs.unk_token_id)
    assert found == (0, 1, 2, 3)
    assert sorted(theirs.all_special_ids) == [0, 1, 2, 3, 4]
    assert theirs.model_max_length == 96
    assert theirs.decode([4, *theirs.encode("a"), 2], skip_special_tokens=True) == "a"
    # token_type_ids would make generate() of a Llama fail.
    assert sorted(theirs("a")) == ["attention_mask", "input_ids"]


def test_the_end_of_a_text_begins_and_ends_where_no_other_token_does(trained, tmp_path):
    trained["plain"].save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path, trust_remote_code=False)
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (0, 0, None)
    assert theirs.all_special_ids == [0]
    assert theirs.model_max_length > 10**29
