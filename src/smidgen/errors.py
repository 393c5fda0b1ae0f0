"""Errors that reach a user as one sentence, each with the exit code its kind deserves.

Anything else that escapes is a defect of ours and keeps its traceback.
"""


class SmidgenError(Exception):
    """Something a user can act on: the message says what was given, what was expected and what would work."""

    exit_code = 2
    # Whether another process of the same training tells the user.
    is_said_elsewhere = False


class BadInput(SmidgenError):
    """A file, recipe, option or folder that cannot be used as it is."""


class CheckFailed(SmidgenError):
    """A check or verdict came out negative (a parity proof, a hash, a strict finding)."""

    exit_code = 1


class OutOfResources(SmidgenError):
    """Disk, memory or time ran out; what was finished is kept and the command can be repeated to go on."""

    exit_code = 75


class RankLost(OutOfResources):
    """Another process of the same training is gone, or does not come to where all meet."""


class Interrupted(SmidgenError):
    """The user or the system asked us to stop; what was finished is kept and the command can be resumed."""

    exit_code = 130
