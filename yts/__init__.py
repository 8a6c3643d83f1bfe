"""HTTP client for the YTS API: requests, and responses turned into checked values."""

__version__ = "0.1.0"
PROJECT_URL = "https://github.com/yts-mirror/yts-mirror"
