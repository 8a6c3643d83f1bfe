"""Preloaded by a worker of a cluster: changes the version of the product there."""

import yts

yts.__version__ = "99.0"
