"""Reports: a run folder as one page, as pictures and as a model card. Reads files only; imports no torch."""

from smidgen.reports.report import write_report

__all__ = ["write_report"]
