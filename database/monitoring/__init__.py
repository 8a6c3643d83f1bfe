"""What the monitor reads: state, past runs, an overview; the checks of `test_db_connection.py`."""
