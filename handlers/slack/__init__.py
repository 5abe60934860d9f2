"""Slack as a place where people ask."""
