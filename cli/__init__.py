"""The commands, and what they share: options, exit codes, messages for errors, progress, output."""
