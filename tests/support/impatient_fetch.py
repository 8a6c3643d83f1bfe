"""
The fetch command with seconds of patience for its database instead of a minute.

Workers import what their parent was started with, so that they are impatient as well.
"""

import database.connection.retry

database.connection.retry.PATIENCE_SECONDS = 1.0

from fetch_yts_data import main  # noqa: E402

if __name__ == "__main__":
    main()
