"""What pachops keeps: its own tables in SQLite or PostgreSQL, and the queries on them."""
