"""The phases of a run: open the source, read the list, fetch details, audit by ids."""
