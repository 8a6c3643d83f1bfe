"""How values are shown on pages, at the server and in the monitor's page: words, charts, style."""
