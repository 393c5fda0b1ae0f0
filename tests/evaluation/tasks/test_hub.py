"""The Hugging Face hub's own client, against a small hub on this machine."""

import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet
import pytest

from ...data.hub_server import serving
from .tiny_documents import TINY_DOCUMENTS

pytest.importorskip("datasets")

# The client reads its settings once, at import, so each try is a process of its own.
SCRIPT = """
import json
import sys
from smidgen.errors import BadInput
from smidgen.evaluation.tasks.catalogue import open_task
from smidgen.evaluation.tasks.documents import EvalData

try:
    task = open_task(sys.argv[1], EvalData(None))
except BadInput as error:
    sys.exit(str(error))
print(json.dumps({"contexts": [item.contexts for item in task.items], "source": task.source, "files": task.files}))
"""


def open_from(address: str, task: str, home) -> subprocess.CompletedProcess:
    environment = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, task], env=environment, cwd=home, capture_output=True, text=True, check=False
    )


def card(config: str, splits: dict[str, str]) -> bytes:
    files = [f"  - split: {split}\n    path: {path}\n" for split, path in splits.items()]
    return f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{''.join(files)}---\n".encode()


def parquet(rows) -> bytes:
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


def test_a_benchmark_comes_from_the_split_and_config_of_the_hub(tmp_path):
    rows = TINY_DOCUMENTS["arc_easy"]
    files = {
        "README.md": card("ARC-Easy", {"train": "easy/train.parquet", "test": "easy/test.parquet"}),
        "easy/train.parquet": parquet(rows[:1]),
        "easy/test.parquet": parquet(rows),
    }
    with serving({"allenai/ai2_arc": files}) as hub:
        done = open_from(hub.address, "arc_easy", tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["contexts"] == [["Question: Which part turns? \nAnswer:"], ["Question: 7\nAnswer:"]]
    assert found["source"] == "Hugging Face hub, allenai/ai2_arc, split test"
    assert list(found["files"]) == ["allenai/ai2_arc, ARC-Easy, test"]
    assert len(found["files"]["allenai/ai2_arc, ARC-Easy, test"]) == 64


def test_a_malformed_document_of_the_hub_is_named_with_its_row(tmp_path):
    first, second = TINY_DOCUMENTS["piqa"]
    lines = "".join(json.dumps(row) + "\n" for row in (first, second | {"label": 7}))
    files = {"README.md": card("default", {"validation": "valid.jsonl"}), "valid.jsonl": lines.encode()}
    with serving({"baber/piqa": files}) as hub:
        done = open_from(hub.address, "piqa", tmp_path)
    assert done.returncode == 1
    assert "baber/piqa, validation, row 2 is no PIQA document" in done.stderr


def test_what_the_hub_does_not_have_is_said_with_the_way_round_it(tmp_path):
    with serving(
        {"baber/piqa": {"README.md": card("default", {"train": "train.jsonl"}), "train.jsonl": b'{"a": 1}\n'}}
    ) as hub:
        done = open_from(hub.address, "piqa", tmp_path)
        elsewhere = open_from(hub.address, "sciq", tmp_path)
    assert (done.returncode, elsewhere.returncode) == (1, 1)
    assert "baber/piqa, validation did not come from the Hugging Face hub" in done.stderr
    assert "allenai/sciq, test did not come from the Hugging Face hub" in elsewhere.stderr
    assert elsewhere.stderr.rstrip().endswith("or give a folder that holds it with --eval-data")
