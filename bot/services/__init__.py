"""The outside systems: a narrow client for each, the only importer of its SDK."""
