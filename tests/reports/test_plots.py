import io

from matplotlib.image import imread

from smidgen.reports.plots import pictures
from smidgen.reports.run_records import read_run

NAMES = ("parameters.png", "loss_curve.png", "mixture.png", "scores.png", "bits_per_byte.png", "stages.png")


def pixels(content):
    return imread(io.BytesIO(content), format="png")


def test_every_chart_is_a_picture_with_something_on_it_at_twice_the_page_s_resolution(full_run):
    drawn = pictures(read_run(full_run))
    assert tuple(drawn) == NAMES
    for name, content in drawn.items():
        image = pixels(content)
        assert image.shape[1] == 1440, name
        assert image[..., :3].std() > 0.02, f"{name} is blank"


def test_a_picture_changes_with_its_numbers(full_run, edit):
    before = pictures(read_run(full_run))
    edit(full_run.design, lambda stored: stored["parameters"].update(attention=2_000_000, total=2_877_952))
    after = pictures(read_run(full_run))
    assert {name for name in NAMES if before[name] != after[name]} == {"parameters.png"}


def test_pictures_without_numbers_are_left_out(full_run):
    full_run.measurements.unlink()
    (full_run.path / "mixture.json").unlink()
    assert tuple(pictures(read_run(full_run))) == ("parameters.png", "scores.png", "bits_per_byte.png", "stages.png")


def test_any_name_can_be_drawn(full_run, edit):
    names = (r"$\frac{$", "_hidden", "\u4f60\u597d \U0001f600", "x" * 300, "two\nlines")

    def rename_sources(stored):
        for point in stored["points"]:
            point["planned"] = point["realised"] = dict.fromkeys(names, 0.2)

    def add_tasks(stored):
        stored["scores"] |= dict.fromkeys(names, stored["scores"]["minimal-pairs"])
        stored["scores"] |= {f"bits-per-byte/{name}": stored["scores"]["bits-per-byte"] for name in names}

    edit(full_run.path / "mixture.json", rename_sources)
    edit(full_run.scores / "recipe.json", add_tasks)
    edit(full_run.design, lambda stored: stored["parameters"].update(dict.fromkeys(names, 5)))
    edit(full_run.manifest, lambda stored: stored["stages"].update({name: {"seconds": 1.0} for name in names}))
    assert tuple(pictures(read_run(full_run))) == NAMES
