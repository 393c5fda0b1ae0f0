import json
import os
import subprocess
import sys
from urllib.request import urlopen

from smidgen.export.hugging_face import export_hugging_face

from ..export.tiny import tiny_model


def test_the_playground_says_where_it_is_and_ends_when_asked(tmp_path):
    export_hugging_face(tiny_model(), tmp_path / "small", check=False)
    folder = str(tmp_path / "small")
    command = [sys.executable, "-m", "smidgen", "play", folder, folder, "--port", "0", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said = json.loads(line)
            assert said["models"] == ["small", "small-2"]
            with urlopen(said["url"]) as answer:
                assert b"page/app.js" in answer.read()
            with urlopen(f"{said['url']}/playground/1/model.json") as answer:
                assert json.loads(answer.read())["name"] == "small-2"
            process.terminate()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


def test_what_is_no_model_is_named(smidgen, tmp_path):
    answer = smidgen("play", str(tmp_path), "--port", "0")
    assert answer.code == 2
    assert "holds neither recipe.json (a run) nor config.json" in answer.err
