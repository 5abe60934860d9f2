"""Migrations of the schema, applied when the database is opened."""
