"""What the doors share: exit codes, words for errors, progress on a terminal, plain text."""
