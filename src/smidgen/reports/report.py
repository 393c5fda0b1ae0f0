"""The stage that turns a run folder into something to look at and to publish."""

from smidgen.records import atomic
from smidgen.records.run_folder import RunFolder
from smidgen.reports import card, page, plots
from smidgen.reports.run_records import read_run


def write_report(run: RunFolder) -> dict[str, str]:
    """Write ``report/index.html``, its pictures and the model card from what the run folder holds so far.

    What is absent is named in the page. Raises ``BadInput`` for a damaged file, before anything is written.
    """
    records = read_run(run)
    pictures = plots.pictures(records)
    index, readme = run.report / "index.html", run.report / "README.md"
    texts = {index: page.render(records), readme: card.render(records, tuple(pictures))}
    for name, picture in pictures.items():
        atomic.write_bytes(run.report / name, picture)
    for path, text in texts.items():
        atomic.write_text(path, text)
    return {"report": str(index), "card": str(readme)}
