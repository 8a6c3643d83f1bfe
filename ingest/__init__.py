"""Brings what YTS says into the database: plan, workers, reports, and one whole run."""
