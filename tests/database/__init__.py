"""The laws of the database room."""
