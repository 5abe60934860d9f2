"""What people do on the demo's GitHub and see of it."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from examples.demo.github.door import BAD, Door, Json
from examples.demo.github.lacking import Kept, now
from examples.demo.telling import expect
from tests.real.git_server import Content, Repository
from tests.standins.github import objects
from tests.standins.github.app import App

PATIENCE = 60.0


@dataclass
class GitHub:
    """The door, and the people in front of it."""

    url: str
    app: App
    door: Door
    people: tuple[str, ...]
    clone: Repository
    """Where whoever pushes works."""

    # what they do

    async def push(self, files: Mapping[str, Content], title: str, branch: str, *, by: str) -> str:
        """Commit and push; the SHA. A new branch begins at main."""
        main, own = (
            self.clone.git("for-each-ref", f"refs/heads/{each}") for each in ("main", branch)
        )
        if main and not own:
            self.clone.git("branch", branch, "main")
        sha = self.clone.commit(files, title, branch=branch)
        await self.send(f"{branch}:{branch}", by=by)
        return sha

    async def send(self, what: str, *, by: str) -> None:
        """`git push`."""
        login = b64encode(f"{by}:{token_of(by)}".encode()).decode()
        settings = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}",
        }
        url = f"{self.url}/{self.door.repository}.git"
        await asyncio.to_thread(self.clone.git, "push", "--quiet", url, what, environment=settings)

    async def open_pull_request(self, branch: str, title: str, *, by: str) -> Kept:
        """Open one against main."""
        wanted = {"title": title, "head": branch, "base": "main"}
        made: Kept = await self._do("/pulls", wanted, by=by)
        return made

    async def merge(self, branch: str, *, by: str) -> str:
        """Push a branch to main, which merges its pull request; main's SHA."""
        self.clone.git("update-ref", "refs/heads/main", f"refs/heads/{branch}")
        await self.send("main:main", by=by)
        return self.tip("main")

    async def comment(self, number: int, body: str, *, by: str) -> int:
        """Comment on a pull request; the comment's id.

        By GitHub's times nobody can tell what was first within a second, and then pachops refuses.
        """
        pushed = self.door.lacking.pushes[-1]["timestamp"]
        async with asyncio.timeout(PATIENCE):
            while now() == pushed:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        made = await self._do(f"/issues/{number}/comments", {"body": body}, by=by)
        return int(made["id"])

    async def publish_release(self, tag: str, *, notes: str, by: str) -> None:
        """Tag main, and publish the tag as a release."""
        self.clone.git("tag", tag, "main")
        await self.send(f"refs/tags/{tag}", by=by)
        await self._do("/releases", {"tag_name": tag, "name": tag, "body": notes}, by=by)

    # what they see

    def tip(self, branch: str) -> str:
        """The commit that a branch is at."""
        return self.door.tip(branch) or ""

    def file(self, path: str, branch: str) -> str:
        """What a file says."""
        return self.door.git.git("show", f"refs/heads/{branch}:{path}").decode()

    async def comments(self, number: int) -> list[Kept]:
        """Those on a pull request, oldest first."""
        found: list[Kept] = await self._see(f"/issues/{number}/comments?per_page=100")
        return found

    async def pulls(self) -> list[Kept]:
        """All, newest first."""
        found: list[Kept] = await self._see("/pulls?state=all")
        return [self.door.follow(each) for each in found]

    async def releases(self) -> list[Kept]:
        """All, newest first."""
        found: list[Kept] = await self._see("/releases")
        return found

    def deployments(self) -> list[Kept]:
        """All, oldest first."""
        return list(self.door.lacking.deployments.values())

    def title(self, sha: str) -> str | None:
        """The first line of a commit's message; None where there is no such commit."""
        known = objects.resolve(self.door.git, sha)
        return known and objects.message(self.door.git, known).partition("\n")[0]

    async def annotations(self, check: int) -> list[Kept]:
        """A check's; the emulator wraps them up, as GitHub does not."""
        answer = await self._see(f"/check-runs/{check}/annotations")
        found: list[Kept] = answer["check_annotations"]
        return found

    async def checks(self, sha: str) -> list[Kept]:
        """Those on a commit."""
        found: list[Kept] = (await self._see(f"/commits/{sha}/check-runs"))["check_runs"]
        return found

    async def expect_comment(self, number: int, containing: str) -> None:
        """The bot comments."""

        async def look() -> tuple[bool, object]:
            found = [
                each["body"]
                for each in await self.comments(number)
                if each["user"]["login"] == self.door.lacking.author
            ]
            return any(containing in each for each in found), found

        await self._expect(f"a comment containing {containing!r}", look)

    async def expect_reaction(self, comment: int, content: str) -> None:
        """The bot reacts to a comment."""

        async def look() -> tuple[bool, object]:
            found = [each["content"] for each in self.door.lacking.reactions.get(comment, ())]
            return content in found, found

        await self._expect(f"the reaction {content}", look)

    async def expect_check(self, sha: str, conclusion: str) -> None:
        """The bot's check on a commit ends so."""

        async def look() -> tuple[bool, object]:
            found = {each["name"]: each["conclusion"] for each in await self.checks(sha)}
            return conclusion in found.values(), found

        await self._expect(f"a check on {sha[:7]} being {conclusion}", look)

    async def expect_deployment(self, environment: str, sha: str) -> None:
        """A commit is shown as deployed."""

        async def look() -> tuple[bool, object]:
            found = [each | self.door.lacking.state(each) for each in self.deployments()]
            wanted = {"environment": environment, "sha": sha, "state": "success"}
            return any(wanted.items() <= each.items() for each in found), found

        await self._expect(f"{sha[:7]} deployed to {environment}", look)

    async def _expect(self, what: str, look: Callable[[], Awaitable[tuple[bool, object]]]) -> None:
        """Look again after each change; what was seen is said where it never comes."""
        seen: object = None
        door = self.door
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    changes = door.changes
                    is_there, seen = await look()
                    if is_there:
                        return
                    async with door.changed:
                        await door.changed.wait_for(lambda: door.changes != changes)  # noqa: B023
        except TimeoutError:
            message = (
                f"expected on GitHub: {what}; there is: {json.dumps(seen, default=str)[-2000:]}"
            )
            raise AssertionError(message) from None

    async def _see(self, path: str) -> Json:
        status, answer = await self.door.ask("GET", self.door.path + path)
        expect(status < BAD, f"GitHub refused GET {path}: {answer}")
        return answer

    async def _do(self, path: str, body: Kept, *, by: str) -> Json:
        status, answer = await self.door.ask(
            "POST", self.door.path + path, body, token=token_of(by)
        )
        expect(status < BAD, f"GitHub refused POST {path}: {answer}")
        return answer


def token_of(login: str) -> str:
    """A person's token."""
    return f"{login}-token"
