"""What keeps vectors from being made."""


class ModelMissing(Exception):
    """There is no model to make vectors with; the argument says what is missing, and what to do."""
