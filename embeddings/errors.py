"""What keeps vectors from being made, or from being made by several processes."""


class ModelMissing(Exception):
    """There is no model to make vectors with; the argument says what is missing, and what to do."""


class NoProcesses(Exception):
    """No other process can help; the argument is a sentence that says why."""
