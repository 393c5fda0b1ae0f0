"""The commands that make the same model again."""

import shlex

from smidgen.reports.run_records import RunRecords


def commands(records: RunRecords) -> list[str]:
    """The whole life as it was called, or else the recipe's plain command; then how to check the result.

    A command that only continued a run does not make it again.
    """
    folder = f"runs/{records.name}"
    plain = shlex.join(["smidgen", "run", records.name, "--out", folder])
    called = records.manifest.command if records.manifest else ""
    return [called if called.startswith("smidgen run ") else plain, shlex.join(["smidgen", "verify", folder])]
