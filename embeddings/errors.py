"""`ModelMissing` and `NoProcesses`: errors of making vectors."""


class ModelMissing(Exception):
    """No usable model; the message says what is missing, and what to do."""


class NoProcesses(Exception):
    """Worker processes cannot start; the message says why."""
