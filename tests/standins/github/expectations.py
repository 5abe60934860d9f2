"""What a test waits to see on GitHub; where it does not come, the failure says what was seen."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tests.standins import waiting
from tests.standins.github.state import CheckRun, Comment, Deployment, Issue
from tests.standins.github.world import World
from tests.standins.waiting import PATIENCE

T = TypeVar("T")


class Expectations:
    """Each waits until it is so, and returns what it was waiting for."""

    world: World

    async def expect(
        self,
        what: str,
        look: Callable[[], T | None],
        seen: Callable[[], Iterable[object]],
        *,
        patience: float = PATIENCE,
    ) -> T:
        """Wait until `look` finds something; `seen` is told where it never does."""
        return await waiting.expect(self.world, what, look, seen, on="GitHub", patience=patience)

    async def expect_reaction(
        self, comment: Comment, content: str, *, patience: float = PATIENCE
    ) -> None:
        """Our reaction to a comment."""

        def look() -> bool | None:
            return (
                any(
                    each.content == content and each.user is self.world.bot
                    for each in comment.reactions
                )
                or None
            )

        await self.expect(
            f"our reaction {content} to {comment.body!r}",
            look,
            lambda: (f"{each.content} by {each.user.login}" for each in comment.reactions),
            patience=patience,
        )

    async def expect_comment(
        self, issue: Issue, containing: str, *, by: str | None = None, patience: float = PATIENCE
    ) -> Comment:
        """A comment of ours (or of another) with this in its text."""
        author = by or self.world.bot.login
        return await self.expect(
            f"a comment by {author} on {issue.number} containing {containing!r}",
            lambda: next(
                (
                    each
                    for each in self.comments(issue)
                    if each.author.login == author and containing in each.body
                ),
                None,
            ),
            lambda: (f"{each.author.login}: {each.body!r}" for each in self.comments(issue)),
            patience=patience,
        )

    async def expect_check(
        self,
        sha: str,
        *,
        name: str | None = None,
        status: str | None = None,
        conclusion: str | None = None,
        patience: float = PATIENCE,
    ) -> CheckRun:
        """Our check on a commit, with this status or conclusion."""

        def fits(each: CheckRun) -> bool:
            return (
                each.app_slug == self.world.app.slug
                and name in {None, each.name}
                and status in {None, each.status}
                and conclusion in {None, each.conclusion}
            )

        return await self.expect(
            f"our check {name or ''} on {sha[:7]} being {conclusion or status or 'there'}",
            lambda: next((each for each in self.checks(sha) if fits(each)), None),
            lambda: (
                f"{each.name} by {each.app_slug}: {each.conclusion or each.status}, {each.title}"
                for each in self.checks(sha)
            ),
            patience=patience,
        )

    async def expect_deployment(
        self,
        full_name: str,
        environment: str,
        *,
        state: str | None = None,
        sha: str | None = None,
        patience: float = PATIENCE,
    ) -> Deployment:
        """A deployment to an environment, which stands like this."""

        def fits(each: Deployment) -> bool:
            return (
                each.environment == environment
                and state in {None, each.state}
                and sha in {None, each.sha}
            )

        return await self.expect(
            f"a deployment to {environment} being {state or 'there'}",
            lambda: next((each for each in self.deployments(full_name) if fits(each)), None),
            lambda: (
                f"{each.environment} at {each.sha[:7]}: {each.state}"
                for each in self.deployments(full_name)
            ),
            patience=patience,
        )

    def comments(self, issue: Issue) -> list[Comment]:
        """Those on an issue or a pull request, oldest first."""
        return [each for each in issue.repo.comments.values() if each.number == issue.number]

    def own_comments(self, issue: Issue) -> list[Comment]:
        """Those by us."""
        return [each for each in self.comments(issue) if each.author is self.world.bot]

    def checks(self, sha: str) -> list[CheckRun]:
        """Those on a commit, by anybody."""
        repos = self.world.repos.values()
        return [each for repo in repos for each in repo.checks.values() if each.sha == sha]

    def deployments(self, full_name: str) -> list[Deployment]:
        """Those of a repository, oldest first."""
        return list(self.world.repo(full_name).deployments.values())
