"""Laws of what YTS says: its answers, its silences and its lies."""
