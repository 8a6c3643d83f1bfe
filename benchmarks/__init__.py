"""Measurements of this program, alone and beside others; README.md lists the commands."""
