"""Durable execution: what was submitted is run, in order, through every restart."""
