"""
The fetch command, which here waits one second for its database instead of a minute.

Its workers import the module that their parent was started with, so they do the same.
"""

import database.connection.retry

database.connection.retry.PATIENCE_SECONDS = 1.0

from fetch_yts_data import main  # noqa: E402

if __name__ == "__main__":
    main()
