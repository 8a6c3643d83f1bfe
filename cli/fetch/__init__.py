"""`fetch_yts_data.py`: options as settings of a run, dry run, messages, log file and summary."""
