"""The command line: one file per command, each thin. Nothing heavy is imported before a command runs."""

from smidgen.cli.app import main

__all__ = ["main"]
