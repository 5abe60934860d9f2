"""GitHub: events in, commands read, answers out."""
