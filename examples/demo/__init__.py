"""`make demo`: pachops on one machine, as a team meets it.

Everything that a deployment touches is real but Pachyderm; Slack is a local one that others have
written; GitHub is this project's stand-in, with pages. One file for each act in `acts`.
"""
