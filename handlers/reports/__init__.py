"""A deployment in words: one report for each surface."""
