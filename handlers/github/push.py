"""A push: the environments that follow its branch are deployed."""

import time

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Trigger
from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish
from handlers.github import words
from handlers.github.answering import follow, leave, note_not_followed, refuse_at_last
from handlers.github.brought import Brought
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload
from handlers.github.rules_check import is_shown, show_broken

LONGEST_LAG = 10.0
"""Seconds after which GitHub's API shows a push: its answers are from several databases."""
_BRANCH = "refs/heads/"


class Author(Payload):
    """Whose commit it is."""

    name: str = ""


class HeadCommit(Payload):
    """The newest of the commits that were pushed."""

    message: str = ""
    author: Author = Author()


class Push(Event):
    """A branch or tag has moved."""

    ref: str
    before: str
    """Zeros where it was not there."""
    after: str
    deleted: bool = False
    head_commit: HeadCommit | None = None

    @property
    def was_at(self) -> str:
        """Its commit until then; empty where it was not there."""
        return self.before if self.before.strip("0") else ""


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy to the environments that follow the branch."""
    push = Push.model_validate_json(delivery.payload)
    branch = push.ref.removeprefix(_BRANCH)
    if push.deleted or branch == push.ref:
        return "not a branch's new commit"
    errand = await errand_for(desk, delivery, push)
    try:
        environments = (await errand.rules()).following(Trigger.PUSH, branch)
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        await note_not_followed(errand, f"push to {branch}", stopped)
        is_broken = stopped.reason.code is Code.PROJECT_INVALID
        if is_broken and branch != errand.repository.default_branch:
            # Nothing follows it, and the default branch's own commits show it.
            return str(stopped)
        return await show_broken(errand, push.after, Brought(Trigger.PUSH, branch), stopped)
    commit = _commit(push, branch)

    def wish(name: str) -> Wish:
        return Wish(Trigger.PUSH, Deploy(name), commit)

    # By the time that checks have ended git is not behind any more: it was put back there.
    before = None if errand.source.has_awaited else push.was_at
    try:
        if environments and not await is_newest(errand, push.ref, push.after, before):
            await leave(errand, words.left_to_newer(branch, desk.safe))
            return f"{branch} has moved on, which is told by another delivery"
    except StoppedError as stopped:
        return await refuse_at_last(errand, environments, wish, stopped)
    return await follow(errand, environments, wish)


async def is_newest(errand: Errand, ref: str, sha: str, before: str | None = None) -> bool:
    """Deliveries come late and in any order: an older commit must not follow a newer one.

    Errors: also git_behind, where git shows the ref as it was `before`.
    """
    try:
        found = (await errand.desk.deployer.resolve(errand.address, ref)).sha
    except StoppedError as stopped:
        if stopped.reason.code in GITHUB_PASSES:
            raise
        if stopped.reason.code is not Code.REF_UNKNOWN:
            # Whatever else it is, the deployment will say it where people see it.
            return True
        found = ""
    if found == before and await _is_git_behind(errand, ref, sha):
        where = f"at {found}" if found else "nowhere"
        raise StoppedError(Code.GIT_BEHIND, f"git shows {ref} {where}, as it was before this push")
    return found == sha


async def _is_git_behind(errand: Errand, ref: str, sha: str) -> bool:
    """Whether a branch that is as it was before is so by delay; it may have been put back, or deleted.

    GitHub's API may be behind too: for a moment it is not asked.
    """
    if time.time() - await errand.sent_at() < LONGEST_LAG:
        return True
    branch = ref.removeprefix(_BRANCH)
    return (await errand.client.branches(branch)).get(branch) == sha


def _commit(push: Push, branch: str) -> Commit:
    head = push.head_commit or HeadCommit()
    title = head.message.partition("\n")[0]
    return Commit(push.after, branch, branch, title, head.author.name)
