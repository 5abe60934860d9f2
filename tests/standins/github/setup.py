"""What there is on GitHub before a test begins, and what others do there without being told of."""

from collections.abc import Mapping

from bot.domain.github import Permission
from tests.real.git_server import Content
from tests.standins.github import objects
from tests.standins.github.app import Installation
from tests.standins.github.state import (
    CheckRun,
    Hook,
    PullRequest,
    Repo,
    Review,
    Status,
    Team,
)
from tests.standins.github.world import World

FILES: Mapping[str, Content] = {"README.md": "acme\n"}


class Setup:
    """Repositories are named `owner/name`; a person is a login, and is made when first named."""

    world: World

    def repository(
        self,
        full_name: str,
        files: Mapping[str, Content] = FILES,
        *,
        private: bool = True,
        installed: bool = True,
        **permissions: str,
    ) -> Repo:
        """A repository with a first commit; `ada` may write. `permissions` are the App's own."""
        repo = self.world.new_repo(full_name, private=private)
        repo.git.commit(files, "First")
        self.allow("ada", full_name, Permission.WRITE)
        if installed:
            self.install(repo, **permissions)
        return repo

    def install(self, repo: Repo, **permissions: str) -> Installation:
        """Install the App on a repository; an owner has one installation."""
        found = next(
            (
                each
                for each in self.world.installations.values()
                if each.account == repo.owner.login
            ),
            None,
        )
        if found is None:
            found = Installation(self.world.new_id(), repo.owner.login)
            self.world.installations[found.id] = found
        found.repos.add(repo.full_name)
        found.permissions |= permissions
        return found

    def hook(self, full_name: str, url: str, *, active: bool = True, delivers: bool = True) -> Hook:
        """A webhook of the repository's own; it is told where no App is."""
        made = Hook(self.world.new_id(), url, active, delivers)
        self.world.repo(full_name).hooks[made.id] = made
        return made

    def fork(self, full_name: str, owner: str) -> Repo:
        """A fork, whose commits can be found in its parent too."""
        parent = self.world.repo(full_name)
        made = self.world.new_repo(f"{owner}/{parent.name}", private=parent.private, fork_of=parent)
        objects.share(made.git, parent.git)
        tip = objects.branch(parent.git, parent.default_branch)
        objects.move(made.git, f"refs/heads/{made.default_branch}", tip)
        objects.share(parent.git, made.git)
        return made

    def allow(self, login: str, full_name: str, role: Permission, *, custom: str = "") -> None:
        """Give a person a role; `custom` is the organisation's own name for it."""
        repo = self.world.repo(full_name)
        repo.roles[self.world.user(login).login] = role
        if custom:
            repo.custom_roles[login] = custom

    def team(self, name: str, *members: str, pending: tuple[str, ...] = ()) -> None:
        """A team `org/slug`; those in `pending` have not accepted their invitation."""
        org, _, slug = name.partition("/")
        states = dict.fromkeys(members, "active") | dict.fromkeys(pending, "pending")
        self.world.teams[org, slug] = Team(slug, states)

    def check(
        self,
        full_name: str,
        sha: str,
        name: str,
        conclusion: str | None = "success",
        *,
        app: str = "github-actions",
    ) -> CheckRun:
        """Another App reports a check; without a conclusion it runs."""
        repo = self.world.repo(full_name)
        status = "completed" if conclusion else "in_progress"
        made = CheckRun(
            self.world.new_id(), sha, name, app, self.world.clock.tick(), status, conclusion
        )
        repo.checks[made.id] = made
        return made

    def status(self, full_name: str, sha: str, context: str, state: str = "success") -> Status:
        """Somebody reports a commit status."""
        world = self.world
        made = Status(world.new_id(), sha, context, state, world.user("ci"), world.clock.tick())
        world.repo(full_name).statuses.append(made)
        return made

    def review(self, pull: PullRequest, by: str, state: str = "APPROVED") -> Review:
        """Somebody reviews the head."""
        world = self.world
        made = Review(world.new_id(), world.user(by), state, pull.head_sha, world.clock.tick())
        pull.reviews.append(made)
        return made
