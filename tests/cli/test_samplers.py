def test_the_command_writes_record_and_page_and_goes_on_from_them(smidgen, finished_run, tmp_path):
    words = ("samplers", finished_run.path, "--samples", 4, "--grid", "temperature=0,0.9", "--out", tmp_path)
    found = smidgen(*words, "--json").json
    assert found["recommended"]["rule"]
    assert all({"loop_rate", "distinct", "nll"} <= set(one) for one in found["settings"])
    assert (tmp_path / "index.html").read_text().startswith("<!DOCTYPE html>")
    again = smidgen(*words)
    assert again.code == 0
    assert "settings were measured before" in again.out
    assert "recommended: " in again.out


def test_a_setting_that_is_none_is_refused(smidgen, finished_run):
    refused = smidgen("samplers", finished_run.path, "--grid", "temprature=1")
    assert refused.code == 2
    assert "did you mean temperature" in refused.err


def test_a_preset_samples_as_the_card_advises(smidgen, finished_run):
    ant = smidgen("generate", finished_run.path, "--prompt", "The", "--preset", "ant-5m", "--json").json
    assert ant["tokens"] <= 15
    refused = smidgen("generate", finished_run.path, "--prompt", "The", "--preset", "ant")
    assert refused.code == 2
    assert "did you mean ant-5m" in refused.err
