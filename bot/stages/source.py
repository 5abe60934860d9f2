"""Source: the exact commit in a bare mirror, and what the repository declares there."""

import asyncio
from dataclasses import dataclass

from bot.project import PROJECT_FILE, Project, misplaced, parse_project
from bot.services.git import Git, Mirror


@dataclass(frozen=True)
class Source:
    """A commit that can be read, and its project file."""

    mirror: Mirror
    sha: str
    project: Project
    declared: bool
    """Whether the repository has a project file."""


async def open_default(git: Git, repository: str) -> Source:
    """The newest commit of the default branch, which says what the repository allows."""
    commit = await git.default_branch(repository)
    return await open_source(git, repository, commit.sha)


async def open_source(git: Git, repository: str, sha: str) -> Source:
    """Fetch the commit where it is not here yet, and read its project file."""
    mirror = await git.mirror(repository, sha)
    text = await mirror.read(sha, PROJECT_FILE)
    if text is None and (wrong := misplaced(await mirror.names_at_root(sha))) is not None:
        raise wrong
    # Anybody may have written it, and a large one takes seconds.
    project = await asyncio.to_thread(parse_project, text or b"")
    return Source(mirror, sha, project, declared=text is not None)
