"""`AddressUnusable`: the server cannot listen on the given address and port."""


class AddressUnusable(Exception):
    """The address or port is taken, not of this machine, or not allowed."""
