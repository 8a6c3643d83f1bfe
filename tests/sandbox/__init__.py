"""The laws of the sandbox, seen over real HTTP."""
