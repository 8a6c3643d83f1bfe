"""`AddressUnusable`: the server cannot listen where it was told to."""


class AddressUnusable(Exception):
    """The address or port is taken, not of this machine, or not allowed; says what to do."""
