"""`ModelMissing`: the error of opening a text model."""


class ModelMissing(Exception):
    """No usable model; the message says what is missing, and what to do."""
