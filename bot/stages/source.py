"""Source: the exact commit in a bare mirror, and what the repository declares there."""

from dataclasses import dataclass

from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE, Project, parse_project
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
    return await open_source(git, repository, (await git.resolve(repository, None)).sha)


async def open_source(git: Git, repository: str, sha: str) -> Source:
    """Fetch the commit where it is not here yet, and read its project file."""
    mirror = await git.mirror(repository, sha)
    text = await mirror.read(sha, PROJECT_FILE)
    if text is None and await mirror.read(sha, ".pachops.yaml") is not None:
        raise StoppedError(
            Code.PROJECT_INVALID,
            "the project file is called .pachops.yml",
            where=".pachops.yaml",
            next_step="Rename it: `git mv .pachops.yaml .pachops.yml`.",
        )
    if text is None and await mirror.has_path(sha, PROJECT_FILE):
        raise StoppedError(
            Code.PROJECT_INVALID,
            "it is a folder, or a link that leads nowhere in the repository",
            where=PROJECT_FILE,
            next_step="Commit a file in its place.",
        )
    project = parse_project(text or b"", file=PROJECT_FILE)
    return Source(mirror, sha, project, declared=text is not None)
