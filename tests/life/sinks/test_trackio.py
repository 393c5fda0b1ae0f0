import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from smidgen.errors import BadInput
from smidgen.life.sinks.trackio import SENDING_AWAY, TrackioSink

TRAINING = {"kind": "training", "step": 7, "tokens": 1, "seconds": 1.0, "loss": 2.5}
# Counts every look for a host and every connection.
OFFLINE = """
import json, sys
asked = []
sys.addaudithook(lambda event, _: asked.append(event) if event in ("socket.connect", "socket.getaddrinfo") else None)
from smidgen.life.sinks.feed import Feed
from smidgen.life.sinks.trackio import TrackioSink
feed = Feed("trackio", lambda: TrackioSink("run"), print, closing_seconds=60)
feed.put({"kind": "training", "step": 7, "tokens": 1, "seconds": 1.0, "loss": 2.5})
feed.close()
print(json.dumps(asked))
"""


@pytest.fixture
def calls(monkeypatch):
    """What a stand-in for the library was asked to do, in an environment that sends nothing away."""
    made = []

    def init(**options):
        print("* Trackio project initialized")
        made.append(options)
        return SimpleNamespace(
            log=lambda values, step: made.append((values, step)), finish=lambda: made.append("end")
        )

    for name in SENDING_AWAY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(init=init))
    return made


def test_numbers_arrive_at_their_steps_and_nothing_is_printed_on_stdout(calls, capsys):
    sink = TrackioSink("mine")
    sink.write(TRAINING)
    sink.write({"kind": "event", "step": 8, "message": "a spike"})
    sink.close()
    assert (calls[0]["project"], calls[0]["name"], calls[0]["resume"]) == ("smidgen", "mine", "allow")
    assert calls[1:] == [({"training/loss": 2.5}, 7), "end"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", SENDING_AWAY)
def test_nothing_is_sent_away_even_where_the_environment_says_so(calls, monkeypatch, name):
    monkeypatch.setenv(name, "somebody/space")
    with pytest.raises(BadInput, match=f"with {name} Trackio sends measurements away"):
        TrackioSink("mine")
    assert calls == []


def test_the_library_itself_asks_for_no_host(tmp_path):
    pytest.importorskip("trackio")
    environment = {**os.environ, "HOME": str(tmp_path), "TRACKIO_DIR": str(tmp_path / "trackio")}
    result = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, timeout=120, check=True, env=environment
    )
    assert json.loads(result.stdout) == []
    assert list((tmp_path / "trackio").glob("smidgen*.db"))
