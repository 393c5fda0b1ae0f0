"""The real client of the hub against a server on this machine that takes uploads as the hub does."""

import json

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

from smidgen import api
from smidgen.cli import main
from smidgen.data.hub import asking
from smidgen.errors import BadInput, CheckFailed, OutOfResources
from smidgen.export.hub import upload
from smidgen.export.hugging_face import export_hugging_face, finished_export

from .tiny import tiny_model
from .upload_server import Repository, serving_uploads

# Of the client itself, when it sends a large file over HTTP.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")


@pytest.fixture
def hub(monkeypatch):
    with serving_uploads() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        # Its store speaks a protocol of its own, which cannot be had here; the hub takes plain HTTP as well.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(asking, "WAITS_SECONDS", (0.01, 0.01))
        monkeypatch.setenv("HF_TOKEN", "secret")
        disable_progress_bars()
        yield server
        enable_progress_bars()


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture
def folder(model, tmp_path):
    export_hugging_face(model, tmp_path / "out", check=False)
    return tmp_path / "out"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_file_is_committed_with_its_bytes_and_nobody_else_sees_it(hub, folder, tmp_path):
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: unknown\n---\n# tiny\n")
    result = upload(folder, "me/tiny", beside={"README.md": card})
    expected = {**contents(folder), "README.md": card.read_bytes()}
    repository = hub.repositories["me/tiny"]
    assert repository.files == expected
    assert repository.private
    assert {file["name"]: file["bytes"] for file in result["files"]} == {k: len(v) for k, v in expected.items()}
    assert (result["private"], result["dry_run"], result["commit"]) == (True, False, repository.head)
    assert result["url"] == f"{hub.address}/me/tiny"
    assert len(hub.stored) == 1


def test_a_public_repository_is_made_when_asked_for(hub, folder):
    assert not upload(folder, "me/tiny", public=True)["private"]
    assert not hub.repositories["me/tiny"].private


def test_a_repository_that_is_public_already_gets_nothing_unasked(hub, folder):
    hub.repositories["me/tiny"] = Repository(private=False)
    with pytest.raises(BadInput, match="exists and is public; add --public"):
        upload(folder, "me/tiny")
    assert hub.repositories["me/tiny"].files == {}
    upload(folder, "me/tiny", public=True)
    assert hub.repositories["me/tiny"].files == contents(folder)


def test_a_dry_run_asks_nobody(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    result = upload(folder, "me/tiny", dry_run=True)
    assert hub.requests == []
    assert {file["name"] for file in result["files"]} == set(contents(folder))
    assert (result["commit"], result["dry_run"]) == (None, True)


def test_what_the_hub_has_is_not_sent_again(hub, folder):
    upload(folder, "me/tiny")
    before = len(hub.repositories["me/tiny"].commits)
    upload(folder, "me/tiny")
    assert len(hub.repositories["me/tiny"].commits) == before
    (folder / "config.json").write_text("{}")
    upload(folder, "me/tiny")
    assert hub.repositories["me/tiny"].commits[-1] == {"config.json": b"{}"}
    assert hub.sent("PUT /store/") == 1


def test_an_upload_that_broke_off_goes_on_without_the_weights(hub, folder):
    hub.faults["POST .*/commit/"] = [503] * 9
    with pytest.raises(OutOfResources, match=r"after 3 tries.*repeat the command"):
        upload(folder, "me/tiny")
    assert (hub.sent("PUT /store/"), len(hub.repositories["me/tiny"].commits)) == (1, 1)
    hub.faults.clear()
    upload(folder, "me/tiny")
    assert hub.sent("PUT /store/") == 1
    assert hub.repositories["me/tiny"].files == contents(folder)


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(hub, folder):
    hub.faults["POST .*/commit/"] = [503, 429]
    upload(folder, "me/tiny")
    assert hub.repositories["me/tiny"].files == contents(folder)


def test_a_store_that_refuses_a_file_is_told_with_its_reason(hub, folder):
    hub.faults["PUT /store/"] = [400] * 9
    with pytest.raises(BadInput, match=r"refused the upload to me/tiny \(BadRequestError"):
        upload(folder, "me/tiny")
    assert hub.repositories["me/tiny"].files == {}


@pytest.mark.parametrize(
    ("token", "repo", "message"),
    [
        ("wrong", "me/tiny", "does not know this login.*hf auth login"),
        ("secret", "others/tiny", r"may not write to others/tiny \(403\)"),
    ],
)
def test_a_login_that_may_not_is_told_in_one_sentence(hub, folder, monkeypatch, token, repo, message):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(BadInput, match=message) as refused:
        upload(folder, repo)
    assert "\n" not in str(refused.value)
    assert hub.repositories == {}


def test_nobody_logged_in_is_told_before_anything_is_done(hub, folder, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(BadInput, match="nobody is logged in"):
        upload(folder, "me/tiny")
    assert hub.requests == []


def test_a_hub_that_is_away_is_told(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(OutOfResources, match="did not take the upload to me/tiny after 3 tries"):
        upload(folder, "me/tiny")


def test_offline_means_offline(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput, match="HF_HUB_OFFLINE"):
        upload(folder, "me/tiny")
    assert hub.requests == []


@pytest.mark.parametrize("repo", ["tiny", "me/you/tiny", "me/ti ny", "me/", "", "--x/y"])
def test_a_name_that_cannot_be_is_refused(hub, folder, repo):
    with pytest.raises(BadInput, match="cannot be the name of a model on the hub; one looks like USER/NAME"):
        upload(folder, repo)
    assert hub.requests == []


def test_other_content_on_the_hub_afterwards_is_a_failure(hub, folder, monkeypatch):
    from smidgen.export import hub as module

    right = module._commit

    def damaging(repo, files):
        commit = right(repo, files)
        hub.repositories[repo].files["config.json"] += b" "
        return commit

    monkeypatch.setattr(module, "_commit", damaging)
    with pytest.raises(CheckFailed, match=r"another config\.json"):
        upload(folder, "me/tiny")


def test_a_card_that_the_hub_cannot_read_is_refused_in_one_sentence(hub, folder, tmp_path):
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: [\n---\n")
    hub.faults["validate-yaml"] = [400]
    with pytest.raises(BadInput, match=r"refused the upload to me/tiny \(.*README.md") as refused:
        upload(folder, "me/tiny", beside={"README.md": card})
    assert "\n" not in str(refused.value)


def test_an_export_of_the_same_model_is_recognised_and_of_another_not(model, folder):
    assert finished_export(model, folder)["files"]
    assert finished_export(tiny_model(xsa=True), folder) is None
    assert finished_export(tiny_model(tie_embeddings=False), folder) is None
    assert finished_export(model, folder.parent / "nothing") is None
    path = folder / "config.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BadInput, match="is damaged"):
        finished_export(model, folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"public": True}, "give --upload USER/NAME as well"),
        ({"dry_run": True}, "give --upload USER/NAME as well"),
        ({"upload": "me/tiny", "to": "gguf"}, "--upload takes Hugging Face folders"),
        ({"upload": "tiny"}, "looks like USER/NAME"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(folder, tmp_path, options, message):
    with pytest.raises(BadInput, match=message):
        api.export(folder, tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_an_export_is_uploaded_by_the_command_and_not_written_twice(hub, folder, capsys):
    with pytest.raises(SystemExit) as left:
        main(["export", str(folder), "--to", "hf", "--out", str(folder), "--upload", "me/tiny", "--json"])
    assert left.value.code == 0
    record = json.loads(capsys.readouterr().out)
    assert record["upload"]["commit"] == hub.repositories["me/tiny"].head
    assert any("no model card" in note for note in record["notes"])


def test_an_upload_takes_the_options_of_its_format(hub, folder, tmp_path):
    out = tmp_path / "half"
    options = {"upload": "me/tiny", "types": ["BF16"], "max_length": 99}
    first = api.export(folder, out, **options)
    assert b'"model_max_length": 99' in (out / "tokenizer_config.json").read_bytes()
    again = api.export(folder, out, **options)
    assert first["parity"]
    assert again["notes"][-2] == "written and read back by an earlier call"
