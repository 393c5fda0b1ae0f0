"""Datasets of the hub through its own client, against a small hub on this machine."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from .hub_server import Hub, serving

pytest.importorskip("datasets")


class HubError(Exception):
    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(kw_only=True)
class Client:
    """The hub's client in a process of its own, and the hub that it talks to."""

    hub: Hub
    process: subprocess.Popen

    def do(self, what: str, **order: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            assert "\n" not in answer["error"]
            raise HubError(answer["error"], answer["exit_code"])
        return answer["answer"]

    def listing(self, dataset: str, **source: Any) -> dict[str, Any]:
        return self.do("listing", source={"hub": dataset, **source})

    def parts(self, dataset: str, part_bytes: int = 1_000_000, **source: Any) -> list[dict[str, Any]]:
        return self.do("parts", listing=self.listing(dataset, **source)["listing"], part_bytes=part_bytes)

    def rows(self, dataset: str, **source: Any) -> list[list[str]]:
        return [row for part in self.parts(dataset, **source) for row in self.do("read", part=part)]

    def refusal(self, dataset: str, exit_code: int = 2, **source: Any) -> str:
        with pytest.raises(HubError) as caught:
            self.rows(dataset, **source)
        assert caught.value.exit_code == exit_code
        return str(caught.value)


@pytest.fixture(scope="module")
def long_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    home = tmp_path_factory.mktemp("hub")
    with serving() as hub:
        environment = os.environ | {
            "HF_ENDPOINT": hub.address,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DOWNLOAD_TIMEOUT": "1",
            "HF_HUB_ETAG_TIMEOUT": "1",
            "HF_HUB_VERBOSITY": "error",
        }
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
            environment.pop(name, None)
        with subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("hub_client.py"))],
            env=environment,
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Client(hub=hub, process=process)
            assert process.stdin
            process.stdin.close()


@pytest.fixture
def client(long_client: Client) -> Client:
    long_client.hub.faults.clear()
    long_client.hub.requests.clear()
    long_client.do("login", token="")
    return long_client


def card(configs: dict[str, dict[str, str]], license: str = '"odc-by"') -> bytes:
    lines = ["---", f"license: {license}", "configs:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, path in splits.items():
            lines += [f"  - split: {split}", f"    path: {path}"]
    return ("\n".join(lines) + "\n---\n# A corpus\n").encode()


def texts(rows: int, first: int = 0) -> list[str]:
    chance = random.Random(first)
    return [f"Row {first + number}: " + f"{chance.getrandbits(2_000):x}" for number in range(rows)]


def parquet(column: list[str], noise_bytes: int = 2_000) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"noise": [os.urandom(noise_bytes) for _ in column], "text": column})
    pq.write_table(table, sink, row_group_size=10, compression="none")
    return sink.getvalue()


def json_lines(column: list[str]) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in column).encode()


CARD = card(
    {"default": {"train": "data/train-*.parquet", "test": "data/test.parquet"}, "small": {"train": "small/*"}}
)
SMALL = {"small/a.parquet": parquet(texts(7, 900))}
TRAIN = {f"data/train-{number}.parquet": parquet(texts(35, 100 * number)) for number in range(5)}
CORPUS = {"README.md": CARD, "data/test.parquet": parquet(texts(3, 800)), **SMALL, **TRAIN}


# What is read


def test_a_split_comes_row_by_row_in_the_order_of_its_files(client):
    commit = client.hub.put("lab/corpus", CORPUS)
    found = client.listing("lab/corpus")
    assert found["record"] == {
        "origin": "lab/corpus",
        "licenses": ["odc-by"],
        "files": 5,
        "file_bytes": sum(map(len, TRAIN.values())),
        "dataset": {"id": "lab/corpus", "config": "default", "split": "train", "revision": "", "commit": commit},
        "notes": [],
    }
    rows = client.rows("lab/corpus")
    assert [text for _, text in rows] == [text for number in range(5) for text in texts(35, 100 * number)]
    assert [rows[0][0], rows[36][0]] == ["data/train-0.parquet#1", "data/train-1.parquet#2"]


def test_configs_and_splits_are_chosen_by_name(client):
    client.hub.put("lab/choice", CORPUS)
    assert [text for _, text in client.rows("lab/choice", config="small")] == texts(7, 900)
    assert [text for _, text in client.rows("lab/choice", split="test")] == texts(3, 800)


def test_the_names_of_files_tell_the_splits_of_a_dataset_without_a_card(client):
    client.hub.put("lab/bare", {"train.jsonl": json_lines(texts(4)), "test.jsonl": json_lines(texts(2, 50))})
    assert [text for _, text in client.rows("lab/bare")] == texts(4)
    assert [text for _, text in client.rows("lab/bare", split="test")] == texts(2, 50)


def test_only_the_columns_that_are_needed_come_over_the_network(client):
    content = parquet(texts(35), noise_bytes=40_000)
    client.hub.put("lab/columns", {"train.parquet": content})
    assert len(client.rows("lab/columns")) == 35
    stretches = [
        stretch.removeprefix("bytes=").split("-")
        for _, path, stretch, _ in client.hub.requests
        if path.startswith("/store/")
    ]
    fetched = sum(int(last) - int(first) + 1 for first, last in stretches)
    assert 0 < fetched < 0.1 * len(content)


def test_parts_are_read_alone_whatever_their_size(client):
    client.hub.put("lab/parts", CORPUS)
    expected = client.rows("lab/parts")
    for part_bytes in (25_000, 5_000, 1_701):
        parts = client.parts("lab/parts", part_bytes)
        assert len(parts) == sum(-(-len(content) // (4 * part_bytes)) for content in TRAIN.values())
        read = {number: client.do("read", part=parts[number]) for number in reversed(range(len(parts)))}
        assert [row for number in range(len(parts)) for row in read[number]] == expected


@pytest.mark.parametrize("pack", ["plain", "gz", "zst", "json"])
def test_json_lines_come_from_the_hub_too(client, pack):
    rows = texts(60)
    content = b"\xef\xbb\xbf" + json_lines(rows[:30]) + b"\n\nno json\n" + json_lines(rows[30:]).rstrip()
    ending, packed = {
        "plain": ("jsonl", content),
        "gz": ("jsonl.gz", gzip.compress(content)),
        "zst": ("jsonl.zst", zstandard.compress(content)),
        "json": ("json.gz", gzip.compress(content)),
    }[pack]
    client.hub.put(f"lab/lines-{pack}", {f"data/train.{ending}": packed})
    for part_bytes in (100, 5_003, 10**6):
        parts = client.parts(f"lab/lines-{pack}", part_bytes)
        assert len(parts) == (-(-len(content) // (4 * part_bytes)) if pack == "plain" else 1)
        read = [row for part in parts for row in client.do("read", part=part)]
        assert [row[1] for row in read if len(row) == 2] == rows
        assert [row[1] for row in read if len(row) == 3] == ["not JSON"]
        assert len({row[0] for row in read}) == 61
        assert read == client.do("read_whole", source={"hub": f"lab/lines-{pack}"})


def test_a_line_that_begins_where_a_part_ends_is_read_once(client):
    rows = [f"{number:07}" for number in range(9)]
    content = json_lines(rows)
    assert len(content) == 9 * 20
    client.hub.put("lab/even", {"train.jsonl": content})
    for part_bytes, count in ((5, 9), (1, 45), (7, 7)):
        parts = client.parts("lab/even", part_bytes)
        assert len(parts) == count
        read = [row for part in parts for row in client.do("read", part=part)]
        assert read == [[f"train.jsonl#{20 * number}", row] for number, row in enumerate(rows)]


def test_a_reading_that_stopped_goes_on_in_another_process_from_its_part_and_row(client):
    """The state of a reading is its listing, the number of the part and of the row in it."""
    client.hub.put("lab/resumed", CORPUS)
    listing = client.listing("lab/resumed")["listing"]
    expected = client.rows("lab/resumed")
    client.hub.put("lab/resumed", CORPUS | {"data/train-0.parquet": parquet(texts(9, 7))})
    parts = client.do("parts", listing=json.loads(json.dumps(listing)), part_bytes=5_000)
    rows: list[list[str]] = []
    number = row = 0
    while len(rows) < len(expected):
        # Stop after 13 rows, wherever that is.
        items = client.do("read", part=parts[number])[row : row + 13]
        rows += items
        number, row = (number, row + 13) if len(items) == 13 else (number + 1, 0)
    assert rows == expected
    assert client.listing("lab/resumed")["listing"]["dataset"]["commit"] != listing["dataset"]["commit"]


def test_a_revision_is_pinned_to_its_commit(client):
    old = client.hub.put("lab/pinned", {"train.jsonl": json_lines(["old"])}, revision="v1.0")
    new = client.hub.put("lab/pinned", {"train.jsonl": json_lines(["new"])})
    assert client.rows("lab/pinned", revision="v1.0") == [["train.jsonl#0", "old"]]
    assert client.rows("lab/pinned", revision=old) == [["train.jsonl#0", "old"]]
    assert client.rows("lab/pinned") == [["train.jsonl#0", "new"]]
    assert client.listing("lab/pinned", revision="v1.0")["record"]["dataset"]["commit"] == old
    assert client.listing("lab/pinned")["record"]["dataset"]["commit"] == new


def test_other_formats_come_from_the_hubs_own_conversion(client):
    table = b"text\nwords\n"
    splits = card({"default": {"train": "a.csv", "test": "b.csv", "dev": "b.csv"}})
    client.hub.put("lab/table", {"README.md": splits, "a.csv": table, "b.csv": table})
    problem = "a.csv is not of a format that is read here"
    assert client.refusal("lab/table") == (
        f"the hub dataset lab/table cannot be read: {problem}, and the hub has no conversion of it; give local files "
        "with --data web=PATH"
    )
    converted = {
        "default/train/0000.parquet": parquet(texts(4)),
        "default/train/0001.parquet": parquet(texts(4, 10)),
        "default/partial-test/0000.parquet": parquet(texts(2, 50)),
    }
    commit = client.hub.put("lab/table", converted, revision="refs/convert/parquet")
    assert [text for _, text in client.rows("lab/table")] == texts(4) + texts(4, 10)
    record = client.listing("lab/table", split="test")["record"]
    assert record["dataset"]["commit"] == commit
    assert record["notes"] == [
        "lab/table is read from the hub's conversion to parquet because b.csv is not of a format that is read here",
        "the hub has converted only the beginning of split 'test' of lab/table",
    ]
    assert "has no split 'dev'; it has test, train: give one as data.sources.web.split" in client.refusal(
        "lab/table", split="dev"
    )
    assert "without a revision the hub's conversion to parquet would do" in client.refusal(
        "lab/table", revision="main"
    )


def test_a_folder_of_the_same_name_is_not_taken_for_the_dataset(client, tmp_path):
    client.hub.put("lab/folder", {"train.jsonl": json_lines(["from the hub"])})
    (tmp_path / "lab/folder").mkdir(parents=True)
    (tmp_path / "lab/folder/train.jsonl").write_bytes(json_lines(["from the folder"]))
    client.do("stand_in", folder=str(tmp_path))
    assert client.rows("lab/folder") == [["train.jsonl#0", "from the hub"]]


def test_the_licence_of_the_card_is_recorded_and_compared_with_the_recipes(client):
    client.hub.put("lab/licence", CORPUS | {"README.md": CARD.replace(b'"odc-by"', b'["mit", "cc0-1.0"]')})
    assert client.listing("lab/licence")["record"]["licenses"] == ["mit", "cc0-1.0"]
    assert client.listing("lab/licence", license="MIT")["record"]["notes"] == []
    differs = client.listing("lab/licence", license="apache-2.0")["record"]
    assert differs["licenses"] == ["apache-2.0"]
    assert differs["notes"] == [
        "licence of source 'web': the recipe says apache-2.0, the dataset's card mit, cc0-1.0"
    ]


# What does not exist or may not be read


def test_what_does_not_exist_is_said_with_what_does(client):
    client.hub.put("lab/wrong", CORPUS)
    assert "there is no hub dataset lab/nothing, or this login may not read it; check the spelling" in client.refusal(
        "lab/nothing"
    )
    assert client.refusal("lab/wrong", revision="v9") == (
        "the hub dataset lab/wrong has no revision 'v9'; give a branch, a tag or a commit that exists, or leave "
        "revision out for the newest"
    )
    assert client.refusal("lab/wrong", config="huge") == (
        "the hub dataset lab/wrong has no config 'huge'; it has default, small: give one as data.sources.web.config"
    )
    assert client.refusal("lab/wrong", split="dev") == (
        "the hub dataset lab/wrong has no split 'dev'; it has test, train: give one as data.sources.web.split"
    )
    assert "no column 'words', only 'noise', 'text'; set text = \"text\" for" in client.refusal(
        "lab/wrong", text="words"
    )
    assert "'a b' cannot be the id of a hub dataset; one looks like" in client.refusal("a b")


def test_a_config_must_be_chosen_where_there_are_several_and_no_default(client):
    client.hub.put(
        "lab/several",
        {
            "README.md": card({"b": {"train": "b/*"}, "a": {"train": "a/*"}}),
            **{f"{name}/1.jsonl": json_lines([name]) for name in "ab"},
        },
    )
    assert client.refusal("lab/several") == (
        "the hub dataset lab/several has several configs and none was chosen; it has a, b: give one as "
        "data.sources.web.config"
    )
    assert client.rows("lab/several", config="b") == [["b/1.jsonl#0", "b"]]


def test_a_card_that_names_files_that_are_not_there_is_refused(client):
    client.hub.put("lab/gone", {"README.md": card({"default": {"train": "gone.parquet"}})})
    assert "the hub dataset lab/gone cannot be read: its files are not found" in client.refusal("lab/gone")
    client.hub.put("lab/empty", {"README.md": b"# Nothing yet\n"})
    assert "the hub dataset lab/empty cannot be read: its files are not found" in client.refusal("lab/empty")


def test_a_gated_dataset_asks_for_a_login_and_the_token_stays_with_the_hub(client):
    client.hub.put("lab/gated", CORPUS)
    client.hub.repositories["lab/gated"].token = "hf_right"
    for token in ("", "hf_wrong"):
        client.do("login", token=token)
        assert "the hub dataset lab/gated is gated: ask for access on its page, then log in" in client.refusal(
            "lab/gated"
        )
    client.do("login", token="hf_right")
    client.hub.requests.clear()
    assert len(client.rows("lab/gated")) == 175
    sent = {path.startswith("/store/"): token for _, path, _, token in client.hub.requests}
    assert sent == {True: "", False: "hf_right"}


def test_a_dataset_that_has_moved_is_read_under_its_new_name(client):
    client.hub.put("lab/before", CORPUS)
    expected = client.rows("lab/before")
    client.hub.move("lab/before", "lab/after")
    record = client.listing("lab/before")["record"]
    assert record["dataset"]["id"] == "lab/after"
    assert record["notes"] == ["the hub dataset lab/before has moved to lab/after"]
    assert client.rows("lab/before") == expected


def test_a_dataset_that_moves_while_it_is_read_is_read_on(client):
    client.hub.put("lab/moving", CORPUS)
    first, *others = client.parts("lab/moving", 5_000)
    rows = client.do("read", part=first)
    client.hub.move("lab/moving", "lab/there")
    rows += [row for part in others for row in client.do("read", part=part)]
    assert len(rows) == 175


# When the hub does not do what it should


PASSING = ["429", "500", "503", "silence", "cut off"]
STEPS = ["GET /api/datasets/[^/]+/[^/]+/revision", "GET .*/tree/", "POST .*/paths-info/", "GET .*parquet|GET /store"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_asked_for_again(client, kind, step):
    name = f"lab/passing-{PASSING.index(kind)}-{STEPS.index(step)}"
    commit = client.hub.put(name, CORPUS)
    fault = client.hub.fail(step, kind, times=2)
    assert len(client.rows(name, revision=commit)) == 175
    assert fault.happened == 2


@pytest.mark.parametrize("kind", PASSING)
def test_what_does_not_pass_ends_with_one_sentence_and_can_be_repeated(client, kind):
    name = f"lab/lasting-{PASSING.index(kind)}"
    client.hub.put(name, CORPUS)
    parts = client.parts(name, 5_000)
    rows = client.do("read", part=parts[0])
    fault = client.hub.fail("GET .*parquet|GET /store", kind)
    with pytest.raises(HubError) as caught:
        client.do("read", part=parts[1])
    assert caught.value.exit_code == 75
    assert str(caught.value).startswith(
        f"the hub did not give data/train-0.parquet of the hub dataset {name} after 4 "
    )
    assert "repeat the command later, or give local files" in str(caught.value)
    assert fault.happened >= 4
    client.hub.faults.clear()
    rows += [row for part in parts[1:] for row in client.do("read", part=part)]
    assert len(rows) == 175


def test_a_hub_that_is_not_there_when_a_source_is_listed_can_be_asked_again(client):
    client.hub.put("lab/away", CORPUS)
    client.hub.fail("api/datasets/lab/away", "503")
    message = client.refusal("lab/away", exit_code=75)
    assert message.startswith("the hub did not give the hub dataset lab/away after 4 tries (")
    assert "503" in message


def test_half_an_answer_that_looks_whole_is_not_taken_for_one(client):
    client.hub.put("lab/half", CORPUS)
    (part, *_) = client.parts("lab/half")
    client.hub.fail("GET /store", "short")
    with pytest.raises(HubError, match="status 206, 32768 bytes instead of 65536") as caught:
        client.do("read", part=part)
    assert caught.value.exit_code == 75


@pytest.mark.parametrize("kind", ["other version", "other size"])
def test_a_file_that_changes_between_two_requests_is_refused(client, kind):
    name = f"lab/changing-{len(kind)}"
    client.hub.put(name, CORPUS)
    parts = client.parts(name, 5_000)
    assert client.do("read", part=parts[0])
    client.hub.fail("GET ", kind)
    with pytest.raises(HubError, match="is not the file that was listed when this build began") as caught:
        client.do("read", part=parts[1])
    assert caught.value.exit_code == 2


def test_a_file_that_is_gone_is_said(client):
    commit = client.hub.put("lab/vanishing", CORPUS)
    parts = client.parts("lab/vanishing", 5_000)
    del client.hub.repositories["lab/vanishing"].commits[commit]["data/train-4.parquet"]
    assert client.do("read", part=parts[0])
    with pytest.raises(HubError, match=r"the hub no longer has data/train-4\.parquet of the hub dataset"):
        client.do("read", part=parts[-1])


def test_a_damaged_file_of_the_hub_is_named(client):
    whole = parquet(texts(30))
    client.hub.put("lab/damaged", {"train.parquet": whole[: len(whole) // 2] + b"PAR1"})
    assert "lab/damaged@" in client.refusal("lab/damaged")
    assert "train.parquet is no readable parquet file" in client.refusal("lab/damaged")
    packed = gzip.compress(json_lines(texts(30)))
    client.hub.put("lab/cut", {"train.jsonl.gz": packed[:-20]})
    assert "train.jsonl.gz is cut off or damaged" in client.refusal("lab/cut")
    client.hub.put("lab/array", {"train.json": b'[\n{"text": "a"}\n]'})
    assert "is one JSON array and no JSON lines" in client.refusal("lab/array")
