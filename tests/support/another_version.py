"""Lets a worker of a cluster believe that it is of another version; named by `--preload`."""

import yts

yts.__version__ = "99.0"
