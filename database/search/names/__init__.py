"""Movies that a query names: by titles and people, in all spellings."""
