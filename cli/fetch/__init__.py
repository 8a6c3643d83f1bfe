"""`fetch_yts_data.py`: what it shows of a run, before, during and after it."""
