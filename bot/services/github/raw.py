"""Calls that PyGithub has no method for, or one that asks for more than we need."""

from typing import Any

from github import Github

Json = Any
"""What an answer holds."""


def get(github: Github, path: str, **parameters: object) -> Json:
    """The answer's JSON."""
    return get_page(github, path, **parameters)[1]


def get_page(github: Github, path: str, **parameters: object) -> tuple[dict[str, Any], Json]:
    """The answer's headers, in lower case, and its JSON."""
    return github.requester.requestJsonAndCheck("GET", path, parameters=dict(parameters))


def post(github: Github, path: str, body: object = None) -> Json:
    """The answer's JSON."""
    return github.requester.requestJsonAndCheck("POST", path, input=body)[1]


def patch(github: Github, path: str, body: object) -> Json:
    """The answer's JSON."""
    return github.requester.requestJsonAndCheck("PATCH", path, input=body)[1]
