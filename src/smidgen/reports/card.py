"""``README.md``: the model card, as the Hugging Face hub reads it."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from smidgen.reports import markdown, reproduction, score_words, words
from smidgen.reports.absences import absences
from smidgen.reports.front_matter import UNKNOWN_LICENSE, front_matter, hub_datasets, license_of
from smidgen.reports.ladder import rung_words
from smidgen.reports.limitations import limitations
from smidgen.reports.page import TEMPLATES
from smidgen.reports.peers import peer_table
from smidgen.reports.run_records import RunRecords
from smidgen.reports.samplers import setting_words
from smidgen.reports.settings_table import design_rows, sampling_words, self_reported_rows, training_rows
from smidgen.reports.summary import sentence

# What a reader of the card gets to see without leaving it.
MOST_SAMPLES = 4


def render(records: RunRecords, pictures: tuple[str, ...]) -> str:
    """``pictures`` are the PNG files beside the card."""
    return (
        _environment()
        .get_template("card.md.jinja")
        .render(
            run=records,
            front_matter=markdown.Markdown(front_matter(records)),
            license=license_of(records),
            is_license_known=license_of(records) != UNKNOWN_LICENSE,
            datasets=hub_datasets(records),
            sentence=sentence(records),
            absences=absences(records),
            limitations=limitations(records),
            score_notes=score_words.notes(records.scores) if records.scores else [],
            pictures=pictures,
            commands=markdown.block("\n".join(reproduction.commands(records))),
            design_rows=design_rows(records.recipe),
            training_rows=training_rows(records.recipe),
            sampling=sampling_words(records),
            self_reported=self_reported_rows(records),
            peers=peer_table(records),
            study_columns=list(setting_words.SHOWN.values()),
            ladder_columns=rung_words.COLUMNS,
            samples=records.samples.samples[:MOST_SAMPLES] if records.samples else (),
            export=next((export for export in records.exports if export.format == "hf"), None),
        )
    )


def _environment() -> Environment:
    """Every value is escaped for Markdown as it is printed, unless it is ``Markdown`` already."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # HTML's escapes have no place in Markdown; `finalize` takes their part
        finalize=markdown.escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        words=words,
        code=markdown.code,
        block=markdown.block,
        score_words=score_words,
        as_is=markdown.Markdown,
    )
    return made
