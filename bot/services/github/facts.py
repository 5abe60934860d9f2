"""What is true of a repository: its people, branches and files."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

from github import Github, GithubException
from github.ContentFile import ContentFile
from github.Repository import Repository as GithubRepository

from bot.domain.github import Permission, ReleaseNow, Repository
from bot.domain.reasons import Code, StoppedError
from bot.services.github.connection import HIDDEN
from bot.services.github.errors import is_of_empty_repository
from bot.services.github.place import Place
from bot.services.github.raw import Json, get

T = TypeVar("T")

_ROLES = {each.label: each for each in Permission}
_HEADS = "refs/heads/"


class Facts(Place):
    """Questions; each may be asked again without harm."""

    async def repository(self) -> Repository:
        """Its name as GitHub writes it, its default branch and where git finds it."""
        return await self._ask(
            "reading its name", lambda github: _repository(get(github, self._path))
        )

    async def name_of(self, number: int) -> str | None:
        """What the repository of a number is called now; None where it is gone, or not ours to see."""
        return await self._find(
            f"reading the name of repository {number}",
            lambda github: str(get(github, f"/repositories/{number}")["full_name"]),
            none_for=HIDDEN,
        )

    async def permission(self, login: str) -> Permission:
        """What a person may really do, by role; none where there is no such person."""
        path = f"{self._path}/collaborators/{quote(login, safe='')}/permission"
        found = await self._find(
            f"reading the permission of {login}", lambda github: _permission(get(github, path))
        )
        return Permission.NONE if found is None else found

    async def public_email(self, login: str) -> str | None:
        """The address that a person shows; GitHub lets them show only what they confirmed."""
        path = f"/users/{quote(login, safe='')}"
        return await self._find(
            f"reading the address of {login}", lambda github: get(github, path).get("email")
        )

    async def is_team_member(self, team: str, login: str, *, is_there: bool = False) -> bool:
        """Whether a person is in `org/slug`; an invitation is not yet membership.

        Of a team of which it is not known whether it `is_there` that is asked too.

        Errors: also github_refused where the team is not there, or not ours to see.
        """
        org, _, slug = team.partition("/")
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}"
        found = await self._find(
            f"looking for {login} in {team}",
            lambda github: get(github, f"{path}/memberships/{quote(login, safe='')}")["state"],
        )
        if found is None and not is_there:
            # GitHub says the same of who is no member and of a team that does not exist.
            await self._ask(f"reading the team {team}", lambda github: get(github, path)["slug"])
        return found == "active"

    async def commit_of_tag(self, tag: str) -> str:
        """Its full SHA. Errors: also github_refused where there is no such tag."""
        path = f"{self._path}/commits/tags/{quote(tag)}"
        return await self._ask(
            f"reading the commit of {tag}", lambda github: str(get(github, path)["sha"])
        )

    async def release(self, identity: int) -> ReleaseNow | None:
        """As it is now; None where it is gone, or a draft that is not ours to see."""
        path = f"{self._path}/releases/{identity}"
        return await self._find(
            f"reading the release {identity}", lambda github: _release(get(github, path))
        )

    async def branches(self, beginning: str) -> Mapping[str, str]:
        """The heads of all branches whose names begin so."""
        return await self._ask(
            f"listing the branches {beginning}*",
            lambda github: {
                each.ref.removeprefix(_HEADS): each.object.sha
                # It is quoted there.
                for each in self._repository(github).get_git_matching_refs(f"heads/{beginning}")
            },
        )

    async def default_branch_file(self, path: str) -> bytes | None:
        """A file of the default branch; None where there is none."""
        return await self._file(
            f"reading {path} of the default branch",
            path,
            lambda github: self._repository(github).get_contents(path),
        )

    async def file_at(self, path: str, sha: str) -> bytes | None:
        """A file of a commit, a fork's too; None where there is none."""
        return await self._file(
            f"reading {path} at {sha}",
            path,
            lambda github: self._repository(github).get_contents(path, ref=sha),
        )

    async def names_at_root(self, ref: str) -> frozenset[str]:
        """Of all files, folders and links of a commit or branch."""
        return await self._ask(
            f"listing the files at {ref}", lambda github: _names(self._repository(github), ref)
        )

    async def _file(self, call: str, path: str, read: Callable[[Github], object]) -> bytes | None:
        found = await self._find(call, read)
        if not isinstance(found, ContentFile) or found.type != "file":
            return None
        if found.encoding != "base64":
            raise StoppedError(
                Code.GITHUB_REFUSED,
                f"{path} of {self.full_name} is too large to be read ({found.size} bytes)",
                next_step="Keep the file under 1 MB.",
            )
        return found.decoded_content


def _names(repository: GithubRepository, ref: str) -> frozenset[str]:
    try:
        found = repository.get_contents("", ref=ref)
    except GithubException as error:
        # Any other 404 is no answer: where nothing seems to be, no rules seem to be.
        if is_of_empty_repository(error):
            return frozenset()
        raise
    return frozenset(each.name for each in found) if isinstance(found, list) else frozenset()


def _repository(found: Json) -> Repository:
    return Repository(
        owner=found["owner"]["login"],
        name=found["name"],
        default_branch=found["default_branch"],
        clone_url=found["clone_url"],
    )


def _release(found: Json) -> ReleaseNow:
    return ReleaseNow(found["tag_name"], bool(found["draft"]), bool(found["prerelease"]))


def _permission(found: Json) -> Permission:
    # A role of the organisation's own counts as the one that it is based on.
    role = _ROLES.get(found.get("role_name") or "")
    return role if role is not None else _ROLES[found["permission"]]
