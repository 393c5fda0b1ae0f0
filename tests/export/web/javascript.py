"""Asking the page's modules under Node, which starts in a tenth of the time of a browser."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from smidgen.export.web.folder import PAGE

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node")


def ask(script: str, given: object, folder: Path):
    """What a body of JavaScript returns; it has the modules' names, by `at`, and ``given``."""
    question = folder / "question.mjs"
    question.write_text(
        'import fs from "fs";\n'
        f"const at = (name) => import({json.dumps(PAGE.as_uri())} + `/${{name}}.js`);\n"
        "const given = JSON.parse(fs.readFileSync(0, 'utf8'));\n"
        f"const answer = await (async () => {{ {script} }})();\n"
        "fs.writeFileSync(1, JSON.stringify(answer));\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [str(NODE), str(question)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
