"""Movies and responses for tests: invented, recorded, and changed at random."""
