"""Bad input to ``smidgen tokenizer``: one clear sentence, exit code 2, no traceback, nothing half written."""

import errno
import json
import os
import random
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tokenizers import Tokenizer as BytePairEncoder
from tokenizers import models

from smidgen.recipes.tokenizer import TokenizerSettings
from smidgen.tokenization import proof
from smidgen.tokenization.tokenizer import Tokenizer
from smidgen.tokenization.training import train_tokenizer

from .test_bad_input import assert_refused

WORDS = ("the", "river", "house", "because", "12", "x", "found", "under", "Small", "OLD")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The folder of a tokenizer in order."""
    folder = tmp_path_factory.mktemp("sound") / "tokenizer"
    train_tokenizer(["the cat and the rat"] * 9, TokenizerSettings(case_mapping=True), 262).save(folder)
    return folder


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "tokenizer")


@pytest.fixture
def train_on(smidgen, tmp_path):
    """Train a tokenizer on the bytes of one file."""

    def call(content, *more, vocab_size=262, name="text.txt"):
        (tmp_path / name).write_bytes(content)
        sets = (
            f"design.vocab_size={vocab_size}",
            f"data.sources={{text={{files=['{tmp_path / name}']}}}}",
            "data.curriculum=[{at=0, weights={text=1}}]",
        )
        words = [word for item in (*sets, *more) for word in ("--set", item)]
        return smidgen("tokenizer", "train", "quickstart", *words, "--out", tmp_path / "trained", "--json")

    return call


@contextmanager
def without_rights():
    """Permissions mean nothing to root, so that root becomes somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared_tmp():
    """A folder below nothing that is only root's."""
    with TemporaryDirectory() as path:
        os.chmod(path, 0o777)
        yield Path(path)


# What is read as text


def lines_of_words(count, seed=0):
    draw = random.Random(seed)
    return "\n\n".join(" ".join(draw.choices(WORDS, k=60)) for _ in range(count)).encode()


def test_a_corpus_too_small_for_the_vocabulary(train_on, tmp_path):
    outcome = train_on(lines_of_words(100), vocab_size=5_000)
    assert_refused(outcome, "the text supports a vocabulary of", "design.vocab_size=5000", "or give more text")
    assert not (tmp_path / "trained").exists()


@pytest.mark.parametrize(
    ("content", "phrases"),
    [
        (b"", ["empty"]),
        (b" \n\n \n", ["empty"]),
        (b"fine\n\nbad \xff\xfe byte", ["not UTF-8", "iconv"]),
        (b"fine\n\nbad \xed\xa0\x80 surrogate", ["not UTF-8"]),
        (b"cut in a character \xe2\x82", ["not UTF-8"]),
        (b"fine\nwith \x00 in it", ["NUL", "save it as UTF-8"]),
        (b"\xff\xfea", ["UTF-8"]),
    ],
)
def test_files_that_are_no_text(train_on, tmp_path, content, phrases):
    assert_refused(train_on(content), *phrases)
    assert not (tmp_path / "trained").exists()


@pytest.mark.parametrize("command", ["check", "inspect"])
@pytest.mark.parametrize(
    ("content", "phrase"),
    [(b"a\xff", "not UTF-8"), (b"a\x00", "NUL"), (None, "does not exist"), (b"", "empty")],
)
def test_text_to_measure_on_that_is_none(smidgen, sound, tmp_path, command, content, phrase):
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    assert_refused(smidgen("tokenizer", command, sound, "--text", tmp_path / "text.txt", "--json"), phrase)


def test_rows_that_could_not_be_read_are_counted(smidgen, sound, tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "built_in_checks", lambda tokenizer: ())
    (tmp_path / "text.jsonl").write_text('{"text": "fine"}\n{"text": "a\\u0000b"}\n{"text": 5}\n')
    result = smidgen("tokenizer", "check", sound, "--text", f"mine={tmp_path / 'text.jsonl'}", "--json").json
    assert result["checks"][0] == {"name": "mine", "texts": 1, "failures": 0}
    assert result["rejected"] == {"mine": {"NUL character": 1, "not a string": 1}}


def one_line(megabytes):
    draw = random.Random(1)
    return (" ".join(draw.choices(WORDS, k=1_000)) * (megabytes * 1_000_000 // 4_000)).encode()[: megabytes * 10**6]


@pytest.mark.parametrize(
    ("megabytes", "blanks"),
    [(20, True), (5, False), *(pytest.param(100, blanks, marks=pytest.mark.soak) for blanks in (True, False))],
)
def test_one_endless_line_is_only_a_line(train_on, megabytes, blanks):
    line = one_line(megabytes)
    trained = train_on(line if blanks else line.replace(b" ", b""), "tokenizer.training_bytes=1_000_000_000").json
    assert trained["vocab_size"] == 262
    assert trained["roundtrip_failures"] == 0


@pytest.mark.parametrize(
    ("megabytes", "sentence"), [(5, "1 document(s) and at least 2 are needed"), (20, "filters all of it out")]
)
def test_one_endless_line_is_all_there_is(train_on, megabytes, sentence):
    line = json.dumps({"text": one_line(megabytes).decode()}).encode()
    assert_refused(train_on(line, name="text.jsonl"), sentence)


@pytest.mark.parametrize(
    ("tokens", "phrases"),
    [
        ('{end_of_text="a"}', ['"a" also comes out of ordinary text', '"<|a|>" would not']),
        ('{end_of_text="the"}', ['"the" also comes out of ordinary text']),
        ('{end_of_text="<end>", pad="<end>"}', ["must all be different"]),
        ('{end_of_text=""}', ["must name a token"]),
        ('{end_of_text="<end>", stop="<stop>"}', ["stop"]),
        ("{end_of_text=5}", ["end_of_text"]),
    ],
)
def test_special_tokens_that_collide(train_on, tmp_path, tokens, phrases):
    outcome = train_on(b"\n\n".join([b"the the the"] * 5_000), f"tokenizer.special_tokens={tokens}", vocab_size=259)
    assert_refused(outcome, *phrases)
    assert not (tmp_path / "trained").exists()


# What is opened as a tokenizer


def changed(name, change):
    """Damage by editing the JSON of a file."""

    def call(folder):
        content = json.loads((folder / name).read_text())
        result = change(content)
        (folder / name).write_text(json.dumps(content if result is None else result))

    return call


def vocabulary(**changes):
    return changed("tokenizer.json", lambda content: content["model"]["vocab"].update(changes))


def merges(change):
    return changed(
        "tokenizer.json", lambda content: content["model"].update(merges=change(content["model"]["merges"]))
    )


def model(**changes):
    return changed("tokenizer.json", lambda content: content["model"].update(changes))


def written(content, name="tokenizer.json"):
    return lambda folder: (folder / name).write_bytes(content)


def replaced(old, new, name="tokenizer.json"):
    def call(folder):
        content = (folder / name).read_text()
        assert old in content
        (folder / name).write_text(content.replace(old, new, 1))

    return call


def foreign(kind):
    return lambda folder: BytePairEncoder(kind).save(str(folder / "tokenizer.json"))


def a_folder_instead(name):
    return lambda folder: ((folder / name).unlink(), (folder / name).mkdir())


DAMAGE = {
    "truncated": (lambda f: os.truncate(f / "tokenizer.json", 3_000), "is no readable JSON"),
    "empty": (written(b""), "is no readable JSON"),
    "binary": (written(bytes(range(256))), "is no readable JSON"),
    "NUL bytes": (written(b"\0" * 100), "is no readable JSON"),
    "nested a million deep": (written(b"[" * 10**6), "is no readable JSON"),
    "objects nested a million deep": (written(b'{"model":' * 10**6), "is no readable JSON"),
    "nested a million deep, closed": (written(b"[" * 10**6 + b"]" * 10**6), "is no readable JSON"),
    "a huge number": (written(b'{"model": ' + b"9" * 100_000 + b"}"), "is no readable JSON"),
    **{
        f"only {text}": (written(text.encode()), "is damaged")
        for text in ("null", "[]", "5", '"x"', '{"model": null}')
    },
    **{
        f"vocabulary is {value!r}": (model(vocab=value), "is damaged")
        for value in (None, [], ["a"], "abc", 5, {}, {"a": 0}, {"a": None})
    },
    **{f"merges are {value!r}": (model(merges=value), "is damaged") for value in (None, {}, "abc", 5, [[]], [5])},
    "an id missing": (changed("tokenizer.json", lambda c: c["model"]["vocab"].pop("a") and None), "is damaged"),
    "an id twice": (vocabulary(a=5), "the ids of the 262 tokens are not 0 to 261"),
    "a hole in the ids": (vocabulary(a=10_000), "is damaged"),
    **{
        f"an id of {value!r}": (vocabulary(a=value), "is damaged")
        for value in (-1, 2**64, 10**40, 66.5, 1e308, float("inf"), float("nan"), "66", None, [66])
    },
    "an id beyond floats": (replaced('"a": ', '"a": 1e999, "zz": '), "is damaged"),
    "a token too many": (vocabulary(zzz=262), 'token "zzz" does not stand for exactly one byte or merge'),
    "a token that is no bytes": (vocabulary(日=262), "does not stand for exactly one byte or merge"),
    "a lone surrogate as a token": (replaced('"a": ', '"\\ud800": '), "is damaged"),
    "a merge of unknown tokens": (merges(lambda m: [*m, ["zz", "qq"]]), "is damaged"),
    "a merge in which nothing joins nothing": (merges(lambda m: [*m, ["", ""]]), "is damaged"),
    "merges as text": (merges(lambda m: [" ".join(pair) for pair in m]), "is damaged"),
    "merges of three": (merges(lambda m: [[*pair, "x"] for pair in m]), "is damaged"),
    "merges of numbers": (merges(lambda m: [[1, 2] for _ in m]), "is damaged"),
    "no merges": (merges(lambda m: []), "is damaged"),
    "a merge twice": (merges(lambda m: [*m, m[0]]), "is not the one that was written"),
    "merges in another order": (merges(lambda m: m[::-1]), "is not the one that was written"),
    "a key twice": (replaced('"model": {', '"model": {}, "model": {'), '"model" twice'),
    "a token twice": (replaced('"a": ', '"a": 5, "a": '), '"a" twice'),
    "an empty tokenizer of others": (foreign(models.BPE()), "is damaged"),
    "a tokenizer of words": (foreign(models.WordLevel({"a": 0, "b": 1}, unk_token="a")), "is damaged"),
    "a tokenizer of pieces": (foreign(models.Unigram([("a", -1.0), ("b", -2.0)])), "is damaged"),
    "WordPiece": (foreign(models.WordPiece({"a": 0, "b": 1}, unk_token="a")), "is damaged"),
    "a folder for tokenizer.json": (a_folder_instead("tokenizer.json"), "cannot be read: Is a directory"),
    "no tokenizer.json": (lambda f: (f / "tokenizer.json").unlink(), "is missing"),
    "no smidgen.json": (lambda f: (f / "smidgen.json").unlink(), "holds no tokenizer of Smidgen"),
    "a folder for smidgen.json": (a_folder_instead("smidgen.json"), "holds no tokenizer of Smidgen"),
    "smidgen.json truncated": (lambda f: os.truncate(f / "smidgen.json", 100), "is no readable JSON"),
    "smidgen.json nested": (written(b"[" * 10**6, "smidgen.json"), "is no readable JSON"),
    "smidgen.json of others": (written(b'{"a": 1}', "smidgen.json"), "is of another program"),
    **{
        f"{part} is {value!r}": (changed("smidgen.json", lambda c, p=part, v=value: c.update({p: v})), "is damaged")
        for part in ("special_tokens", "splits", "text_rules")
        for value in (None, [], "x", 5, {"no": "such"})
    },
    "special tokens of the wrong type": (
        changed("smidgen.json", lambda c: c["special_tokens"].update(pad=5)),
        "is damaged",
    ),
    "special tokens in a list": (
        changed("smidgen.json", lambda c: c["special_tokens"].update(pad=["<pad>"])),
        "is damaged",
    ),
    "a special token out of text": (
        changed("smidgen.json", lambda c: c["special_tokens"].update(end_of_text="the")),
        "is damaged",
    ),
    "a version of text": (changed("smidgen.json", lambda c: c.update(version="1")), "has format version 1"),
    "a changed fingerprint": (changed("smidgen.json", lambda c: c.update(fingerprint=5)), "is not the one"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_tokenizer_that_is_none(smidgen, folder, kind):
    damage, phrase = DAMAGE[kind]
    damage(folder)
    outcome = smidgen("tokenizer", "check", folder, "--json")
    assert_refused(outcome, phrase)
    assert len(outcome.err) < 600, "one sentence, however much was given"


def test_a_file_in_place_of_a_folder_and_a_folder_without_anything(smidgen, folder, tmp_path):
    assert_refused(
        smidgen("tokenizer", "check", folder / "tokenizer.json", "--json"), "holds no tokenizer of Smidgen"
    )
    (tmp_path / "empty").mkdir()
    assert_refused(smidgen("tokenizer", "check", tmp_path / "empty", "--json"), "holds no tokenizer of Smidgen")


@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_a_folder_that_may_not_be_read(smidgen, sound, shared_tmp, mode):
    copy = shutil.copytree(sound, shared_tmp / "tokenizer")
    copy.chmod(mode)
    try:
        with without_rights():
            outcome = smidgen("tokenizer", "check", copy, "--json")
    finally:
        copy.chmod(0o700)
    assert_refused(outcome, "tokenizer", "Permission denied")


@pytest.mark.parametrize("name", ["tokenizer.json", "smidgen.json"])
def test_a_file_that_may_not_be_read(smidgen, sound, shared_tmp, name):
    copy = shutil.copytree(sound, shared_tmp / "tokenizer")
    copy.chmod(0o755)
    (copy / name).chmod(0)
    with without_rights():
        outcome = smidgen("tokenizer", "check", copy, "--json")
    assert_refused(outcome, f"{copy / name} cannot be read: Permission denied")


def test_text_that_may_not_be_read(smidgen, sound, shared_tmp):
    copy = shutil.copytree(sound, shared_tmp / "tokenizer")
    for path in (copy, *copy.iterdir()):
        path.chmod(0o755)
    (shared_tmp / "text.txt").write_text("a")
    (shared_tmp / "text.txt").chmod(0)
    with without_rights():
        outcome = smidgen("tokenizer", "check", copy, "--text", shared_tmp / "text.txt", "--json")
    assert_refused(outcome, "text.txt", "Permission denied")


TRAIN = ("tokenizer", "train", "quickstart", "--set", "design.vocab_size=300", "--json")


def test_a_folder_that_may_not_be_written(smidgen, shared_tmp, tiny_options):
    closed = shared_tmp / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    with without_rights():
        outcome = smidgen(*TRAIN, *tiny_options, "--out", closed / "tokenizer")
    assert_refused(outcome, str(closed), "Permission denied")
    assert list(closed.iterdir()) == []


def test_a_disk_that_is_only_read(smidgen, tmp_path, tiny_options, monkeypatch):
    def refuse(dir, **_):
        raise OSError(errno.EROFS, "Read-only file system", str(dir))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    outcome = smidgen(*TRAIN, *tiny_options, "--out", tmp_path / "tokenizer")
    assert_refused(outcome, f"{tmp_path} cannot be used: Read-only file system")


def test_a_folder_to_write_that_is_a_file(smidgen, tmp_path, tiny_options):
    (tmp_path / "file").write_text("kept")
    assert_refused(smidgen(*TRAIN, *tiny_options, "--out", tmp_path / "file"), "exists already")
    assert_refused(smidgen(*TRAIN, *tiny_options, "--out", tmp_path / "file" / "in it"), "file", "cannot be used")
    assert (tmp_path / "file").read_text() == "kept"


def test_a_failed_check_says_which_and_shows_a_text(smidgen, sound, monkeypatch):
    checks = {check.name: check for check in proof.built_in_checks(Tokenizer.open(sound))}
    few = [checks[name] for name in ("digits", "every Unicode character", "capitals and markers")]
    monkeypatch.setattr(proof, "built_in_checks", lambda tokenizer: few)
    real = Tokenizer.decode
    monkeypatch.setattr(Tokenizer, "decode", lambda *given, **named: real(*given, **named).replace("\u212a", "K"))
    outcome = smidgen("tokenizer", "check", sound, "--json")
    assert outcome.code == 1
    digits, characters, capitals = outcome.json["checks"]
    assert digits["failures"] == 0
    assert characters["failures"] == 1
    assert capitals["first_failure"] == "\u212a"
    assert outcome.json["roundtrip_failures"] == 1 + capitals["failures"] == 2
    assert "do not survive a round trip" in outcome.err
    assert "Traceback" not in outcome.err
