"""Output of commands: messages, progress, tables, plain text, and abilities of the terminal."""
