"""PostgreSQL: the tables, the only code that writes them, and the code that reads them."""
