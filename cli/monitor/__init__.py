"""`monitor_progress.py`: the state of the mirror on a terminal, as text, JSON, HTML and metrics."""
