"""Bodies of the commands that have only one module each: check, embed, serve, shell."""
