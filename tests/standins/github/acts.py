"""What people do on GitHub, said in a test's words; what GitHub tells of is awaited."""

from collections.abc import Mapping
from typing import Any

from tests.real.git_server import Content
from tests.standins.github import objects, payloads, shapes
from tests.standins.github.setup import Setup
from tests.standins.github.state import (
    CheckRun,
    Comment,
    Issue,
    PullRequest,
    Release,
    Repo,
)
from tests.standins.github.webhooks import Webhooks
from tests.standins.github.world import World


class Acts(Setup):
    """What GitHub sends webhooks about; `by` is the login of who does it."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self.world = world
        self.webhooks = webhooks

    async def push(
        self,
        full_name: str,
        files: Mapping[str, Content],
        branch: str = "main",
        *,
        by: str = "ada",
        message: str = "Change",
        force_from: str | None = None,
    ) -> str:
        """Commit and push; the SHA. A new branch begins at the default branch.

        `force_from` throws away what the branch has since this commit or branch.
        """
        repo = self.world.repo(full_name)
        before = objects.branch(repo.git, branch)
        start = objects.resolve(repo.git, force_from or repo.default_branch)
        if before is None or force_from:
            objects.move(repo.git, f"refs/heads/{branch}", start)
        after = repo.git.commit(files, message, branch=branch)
        await self._moved(repo, branch, before or objects.ZERO, after, by, forced=bool(force_from))
        return after

    async def move(self, full_name: str, branch: str, sha: str, *, by: str = "ada") -> None:
        """Push a commit that is there already to a branch."""
        repo = self.world.repo(full_name)
        before = objects.branch(repo.git, branch) or objects.ZERO
        objects.move(repo.git, f"refs/heads/{branch}", sha)
        await self._moved(repo, branch, before, sha, by, forced=False)

    async def open_pull_request(
        self,
        full_name: str,
        head: str,
        *,
        files: Mapping[str, Content] | None = None,
        base: str = "main",
        title: str = "A change",
        by: str = "ada",
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request; `head` is a branch, or `owner:branch` of a fork.

        `files` are pushed there first.
        """
        world, repo = self.world, self.world.repo(full_name)
        owner, _, branch = head.rpartition(":")
        head_repo = world.repo(f"{owner}/{repo.name}") if owner else repo
        if files is not None:
            await self.push(head_repo.full_name, files, branch, by=by)
        made = PullRequest(
            repo,
            world.new_id(),
            len(repo.issues) + 1,
            title,
            world.user(by),
            world.clock.tick(),
            head_repo=head_repo,
            head_ref=branch,
            head_sha=objects.branch(head_repo.git, branch) or "",
            base_ref=base,
            base_sha=objects.branch(repo.git, base) or "",
            draft=draft,
        )
        repo.issues[made.number] = made
        objects.move(repo.git, f"refs/pull/{made.number}/head", made.head_sha)
        await self._tell_pull(made, "opened", by)
        return made

    async def close(self, pull: PullRequest, *, by: str = "ada", merged: bool = False) -> None:
        """Close a pull request, or merge it without a commit of its own."""
        pull.state, pull.merged = "closed", merged
        if merged:
            before = objects.branch(pull.repo.git, pull.base_ref) or objects.ZERO
            objects.move(pull.repo.git, f"refs/heads/{pull.base_ref}", pull.head_sha)
            await self._moved(pull.repo, pull.base_ref, before, pull.head_sha, by, forced=False)
        await self._tell_pull(pull, "closed", by)

    async def rename(self, full_name: str, name: str, *, by: str = "ada") -> None:
        """Give a repository another name; nothing is found under the old one."""
        world, repo = self.world, self.world.repos.pop(full_name)
        before, repo.name = repo.name, name
        world.repos[repo.full_name] = repo
        for each in world.installations.values():
            if full_name in each.repos:
                each.repos.add(repo.full_name)
        changes = {"repository": {"name": {"from": before}}}
        payload = payloads.common(world, repo, world.user(by))
        await self._tell("repository", payload | {"action": "renamed", "changes": changes})

    async def rename_owner(self, login: str, name: str, *, by: str = "ada") -> None:
        """Give an account another name, and so all of its repositories."""
        world, owner = self.world, self.world.user(login)
        its = [each for each in world.repos.values() if each.owner is owner]
        before = {each.full_name: each for each in its}
        world.users[name] = world.users.pop(login)
        owner.login = name
        for full_name, repo in before.items():
            world.repos[repo.full_name] = world.repos.pop(full_name)
        for each in [*world.installations.values()]:
            if each.account == login:
                each.account = name
                each.repos |= {repo.full_name for repo in its}
                payload = payloads.target_renamed(world, each, owner, login, world.user(by))
                await self._tell("installation_target", payload)

    async def open_issue(self, full_name: str, *, by: str = "ada") -> Issue:
        """A plain issue."""
        world, repo = self.world, self.world.repo(full_name)
        number = len(repo.issues) + 1
        made = Issue(repo, world.new_id(), number, "A bug", world.user(by), world.clock.tick())
        repo.issues[number] = made
        return made

    async def comment(self, issue: Issue, body: str, *, by: str = "ada") -> Comment:
        """Comment on a pull request or an issue."""
        who = self.world.user(by, "Bot" if by.endswith("[bot]") else "User")
        made = self.world.add_comment(issue.repo, issue.number, who, body)
        await self._tell("issue_comment", payloads.comment(self.world, issue, made, "created", who))
        return made

    async def edit(self, issue: Issue, comment: Comment, body: str, *, by: str = "ada") -> None:
        """Change a comment's text."""
        changes = {"body": {"from": comment.body}}
        comment.body = body
        comment.bodies.append(body)
        comment.updated_at = self.world.clock.tick()
        who = self.world.user(by)
        await self._tell(
            "issue_comment",
            payloads.comment(self.world, issue, comment, "edited", who, changes=changes),
        )

    async def delete(self, issue: Issue, comment: Comment, *, by: str = "ada") -> None:
        """Take a comment away."""
        del issue.repo.comments[comment.id]
        who = self.world.user(by)
        await self._tell(
            "issue_comment", payloads.comment(self.world, issue, comment, "deleted", who)
        )

    async def publish_release(
        self,
        full_name: str,
        tag: str,
        *,
        notes: str = "",
        target: str = "main",
        by: str = "ada",
        prerelease: bool = False,
    ) -> Release:
        """Publish a release; its tag is put on the target, where there is none yet."""
        world, repo = self.world, self.world.repo(full_name)
        if objects.resolve(repo.git, f"refs/tags/{tag}") is None:
            objects.move(repo.git, f"refs/tags/{tag}", objects.resolve(repo.git, target))
        made = Release(
            world.new_id(),
            tag,
            target,
            tag,
            notes,
            world.user(by),
            world.clock.tick(),
            prerelease=prerelease,
        )
        repo.releases.append(made)
        if not prerelease:
            await self._tell("release", payloads.release(world, repo, made, "released"))
        await self._tell("release", payloads.release(world, repo, made, "published"))
        return made

    async def make_final(self, full_name: str, found: Release) -> None:
        """Change a pre-release to a release."""
        found.prerelease, found.updated_at = False, self.world.clock.tick()
        repo = self.world.repo(full_name)
        await self._tell("release", payloads.release(self.world, repo, found, "released"))

    async def unpublish(self, full_name: str, found: Release) -> None:
        """Make a release a draft again."""
        found.draft, repo = True, self.world.repo(full_name)
        await self._tell("release", payloads.release(self.world, repo, found, "unpublished"))

    async def delete_release(self, full_name: str, found: Release) -> None:
        """Take a release away; its tag stays."""
        repo = self.world.repo(full_name)
        repo.releases.remove(found)
        await self._tell("release", payloads.release(self.world, repo, found, "deleted"))

    async def press(
        self, full_name: str, check: CheckRun, identifier: str, *, by: str = "ada"
    ) -> None:
        """Press a button of a check."""
        if identifier not in {each["identifier"] for each in check.actions}:
            message = f"the check has no button {identifier}: {check.actions}"
            raise AssertionError(message)
        await self._tell_check(
            full_name, check, "requested_action", by, requested_action={"identifier": identifier}
        )

    async def rerun(self, full_name: str, check: CheckRun, *, by: str = "ada") -> None:
        """Ask for a check again, which GitHub takes for queued from then on."""
        check.status, check.conclusion = "queued", None
        await self._tell_check(full_name, check, "rerequested", by)

    async def rerun_all(self, full_name: str, check: CheckRun, *, by: str = "ada") -> None:
        """Ask for all checks of a check's suite again, which are queued from then on."""
        repo, who = self.world.repo(full_name), self.world.user(by)
        suite = shapes.suite_of(repo, check)
        for each in repo.checks.values():
            if shapes.suite_of(repo, each) == suite:
                each.status, each.conclusion = "queued", None
        payload = payloads.check_suite(self.world, repo, check, "rerequested", who)
        await self._tell("check_suite", payload)

    async def report_check(
        self, full_name: str, sha: str, name: str, conclusion: str = "success"
    ) -> None:
        """Another App's check ends, the last of its suite."""
        repo = self.world.repo(full_name)
        for each in list(repo.checks.values()):
            if (each.sha, each.name, each.status) == (sha, name, "in_progress"):
                del repo.checks[each.id]
        made, who = self.check(full_name, sha, name, conclusion), self.world.user("ci")
        payload = payloads.check_suite(self.world, repo, made, "completed", who)
        await self._tell("check_suite", payload)

    async def report_status(
        self, full_name: str, sha: str, context: str, state: str = "success"
    ) -> None:
        """Somebody reports a commit status."""
        made = self.status(full_name, sha, context, state)
        await self._tell("status", payloads.status(self.world, self.world.repo(full_name), made))

    async def _moved(
        self, repo: Repo, branch: str, before: str, after: str, by: str, *, forced: bool
    ) -> None:
        """A branch stands elsewhere: so do the pull requests from it."""
        who = self.world.user(by)
        pushed = self.world.add_push(repo, branch, before, after, who)
        if forced:
            pushed.kind = "force_push"
        await self._tell("push", payloads.push(self.world, repo, pushed, forced=forced), repo)
        for each in [pull for found in self.world.repos.values() for pull in found.pull_requests]:
            if each.head_repo is not repo or each.head_ref != branch or each.state != "open":
                continue
            each.head_sha = after
            each.base_sha = objects.branch(each.repo.git, each.base_ref) or each.base_sha
            objects.move(each.repo.git, f"refs/pull/{each.number}/head", after)
            await self._tell_pull(each, "synchronize", by, before=before, after=after)

    async def _tell_pull(self, pull: PullRequest, action: str, by: str, **more: object) -> None:
        who = self.world.user(by)
        payload = payloads.pull_request(self.world, pull, action, who, **more)
        await self._tell("pull_request", payload)

    async def _tell_check(
        self, full_name: str, check: CheckRun, action: str, by: str, **more: object
    ) -> None:
        repo, who = self.world.repo(full_name), self.world.user(by)
        payload = payloads.check_run(self.world, repo, check, action, who, **more)
        await self._tell("check_run", payload)

    async def _tell(self, event: str, payload: dict[str, Any], repo: Repo | None = None) -> None:
        """Only of repositories that the App is installed on, or that have a webhook."""
        has_hook = "repository" in payload and any(
            each.delivers
            for each in self.world.repo(payload["repository"]["full_name"]).hooks.values()
        )
        told = has_hook or (repo is None and not self.world.installations)
        if "installation" in payload or told:
            await self.webhooks.tell(event, payload)
        await self.world.tell()
