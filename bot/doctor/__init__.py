"""Looks at everything that pachops needs, and says how to mend what does not work.

Each file has the checks of one thing. A check is a small function that gives findings; a reason
that it raises is a finding too.
"""
