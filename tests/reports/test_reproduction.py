from smidgen.reports.reproduction import commands
from smidgen.reports.run_records import read_run


def test_the_command_is_the_one_that_made_the_run(full_run, edit):
    called = "smidgen run quickstart --set training.seed=3 --out elsewhere"
    edit(full_run.manifest, lambda stored: stored.update(command=called))
    assert commands(read_run(full_run))[0] == called


def test_a_command_that_only_continued_a_run_is_not_shown(full_run, edit):
    edit(full_run.manifest, lambda stored: stored.update(command="smidgen train --resume elsewhere"))
    assert commands(read_run(full_run)) == [
        "smidgen run quickstart --out runs/quickstart",
        "smidgen verify runs/quickstart",
    ]


def test_a_name_cannot_smuggle_in_a_command(fresh_run, edit):
    run = fresh_run(name="x; echo gone")
    run.manifest.unlink()
    assert commands(read_run(run))[0] == "smidgen run 'x; echo gone' --out 'runs/x; echo gone'"
