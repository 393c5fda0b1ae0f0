"""The command in a process of its own: how it starts, what it says, how it ends."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from smidgen.cli import local_server, main
from smidgen.export.hugging_face import export_hugging_face

from ..export.tiny import tiny_model
from .client import post

# More than any test waits for; no token ends it.
LONG = {"prompt": "The", "max_tokens": 8192, "n": 30, "logit_bias": {"0": -100}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "small"
    export_hugging_face(tiny_model(), path, check=False)
    return path


@contextmanager
def started(folder, *words):
    """The command with its port, once it has said where it is; ended at the latest with the block."""
    command = [sys.executable, "-m", "smidgen", "serve", str(folder), "--port", "0", "--json", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said = json.loads(line)
            port = int(said["url"].rpartition(":")[2])
            assert said == {"url": f"http://127.0.0.1:{port}", "models": ["small"]}
            yield process, port
        finally:
            process.kill()


def ask_in_background(port, body):
    """A request whose reply is awaited elsewhere; gives a function that waits for it."""
    replies = []

    def ask():
        try:
            replies.append(post(port, body))
        except (OSError, http.client.HTTPException) as error:
            replies.append(error)

    thread = threading.Thread(target=ask)
    thread.start()

    def reply():
        thread.join(30)
        return replies[0]

    return reply


def health(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/health")
    found = json.loads(connection.getresponse().read())
    connection.close()
    return found


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def raw_reply(port, content):
    """The first bytes of what is answered to these; the connection is then dropped."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(content)
        return raw.recv(1000)


def test_a_process_answers_and_on_sigterm_finishes_its_answers(folder):
    with started(folder, "--grace-seconds", "60") as (process, port):
        assert post(port, {"prompt": "The cats", "max_tokens": 3}).status == 200

        # What is no proper request.
        for content in (b"GET /health HTTP/1.0", b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b", b"\x16\x03\x01"):
            assert raw_reply(port, content + b"\r\n\r\n").split(b" ")[1] in (b"400", b"403")

        # Clients that vanish in the middle of a stream.
        body = json.dumps({**LONG, "stream": True}).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        for _ in range(3):
            assert b"200 OK" in raw_reply(port, head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        wait_until(lambda: not health(port)["active"], 5)

        reply = ask_in_background(port, {**LONG, "max_tokens": 400, "n": 1})
        wait_until(lambda: health(port)["active"])
        process.terminate()
        assert reply().json["usage"]["completion_tokens"] == 400
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")


def test_on_ctrl_c_answers_that_take_too_long_are_cut_off_and_that_is_told(folder):
    with started(folder, "--grace-seconds", "0") as (process, port):
        reply = ask_in_background(port, LONG)
        wait_until(lambda: health(port)["active"])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (130, "error: stopped on request; 1 answer was cut off after 0 s\n")
        assert reply().status == 503
        assert reply().message == "the server is stopping; ask again when it is back"


def run_command(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main(["serve", *map(str, words)])
    return left.value.code, capsys.readouterr().err


def test_a_port_in_use_is_named(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = run_command(capsys, folder, "--port", port)
    assert code == 2
    assert f"cannot listen at 127.0.0.1 port {port}: Address already in use; --port 0 takes any that is free" in err


def test_an_address_that_is_not_ours_is_named(folder, capsys):
    code, err = run_command(capsys, folder, "--host", "192.0.2.1")
    assert code == 2
    assert "cannot listen at 192.0.2.1 port 8000" in err


def test_a_folder_without_a_model_is_named(tmp_path, capsys):
    code, err = run_command(capsys, tmp_path, "--port", "0")
    assert code == 2
    assert "holds neither recipe.json (a run) nor config.json" in err


def test_a_missing_package_is_named(folder, capsys, monkeypatch):
    monkeypatch.setattr(local_server, "find_spec", lambda name: None if name == "uvicorn" else object())
    code, err = run_command(capsys, folder)
    assert (code, err) == (
        2,
        'error: serving needs the package uvicorn, which is missing; pip install "smidgen[serve]"\n',
    )
