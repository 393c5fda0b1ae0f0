"""The commands that make the same model again."""

import shlex

from smidgen.reports.run_records import RunRecords


def commands(records: RunRecords) -> list[str]:
    """As it was called, or where that is not recorded the recipe's plain command; then how to check the result."""
    folder = f"runs/{records.name}"
    plain = shlex.join(["smidgen", "run", records.name, "--out", folder])
    called = records.manifest.command if records.manifest else ""
    return [called or plain, shlex.join(["smidgen", "verify", folder])]
