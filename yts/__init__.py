"""What YTS says: fetch its answers over HTTP and turn them into checked values."""

__version__ = "0.1.0"
PROJECT_URL = "https://github.com/yts-mirror/yts-mirror"
