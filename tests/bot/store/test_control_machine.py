"""Locks, approvals and the line of a target in any order, with restarts in between.

The machine drives the store and a model of it in plain Python; after each step both must agree,
and the audit must be as it was written.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.approval import ApprovalRequest, ApprovalState, Cast, Proposal, Verdict, Vote
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    State,
    Trigger,
)
from bot.domain.lock import Lock, NoticeKind
from bot.domain.queue import Wait, newer_than
from bot.domain.reasons import Code, StoppedError
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.locks import Busy, Changed, Freed, Gone, Locks, Taken
from bot.store.queue import Queue
from tests.migrated import migrated

T = TypeVar("T")

REPOSITORY, ENVIRONMENT = "r", "production"
PEOPLE = st.sampled_from([Actor(name, "github") for name in ("ann", "bob", "carl")])
PLACES = st.sampled_from([ENVIRONMENT, "staging", None])
BRANCHES = st.sampled_from(["main", "main", None])


@dataclass
class Asked:
    """A request for approval, in the model."""

    request: ApprovalRequest
    votes: dict[str, Verdict] = field(default_factory=dict)
    settled: ApprovalState | None = None


class Machine(RuleBasedStateMachine):
    """A database, the time, and restarts."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.file = self.folder / "pachops.db"
        shutil.copy(self.template, self.file)
        self.runner = asyncio.Runner()
        self.now = 1000.0
        self.number = 0
        self.rows = 0
        self.open()

    def open(self) -> None:
        self.database = self.run(Database.open(f"sqlite:///{self.file}"))
        self.store = Locks(self.database)
        self.deployments = Deployments(self.database)
        self.approvals = Approvals(self.database)
        self.queue = Queue(self.database)

    def run(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            return await work

        return self.runner.run(done())

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    def new_id(self) -> str:
        self.number += 1
        return f"{self.number:06}"

    @rule()
    def restart(self) -> None:
        """The bot is killed, and another opens what is on disk."""
        self.run(self.database.close())
        self.open()

    @rule(seconds=st.sampled_from([1.0, 400.0, 450.0]))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def the_audit_is_as_it_was_written(self) -> None:
        head, faults = self.run(Audit(self.database).verify())
        assert faults == ()
        assert head.seq >= self.rows
        self.rows = head.seq


class LocksMachine(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[str | None, Lock] = {}
        self.seen: list[Lock] = []

    def live(self, environment: str | None) -> Lock | None:
        lock = self.locks.get(environment)
        return None if lock is None or lock.is_over(self.now) else lock

    @rule()
    def housekeeping(self) -> None:
        over = {each.id for each in self.locks.values() if each.is_over(self.now)}
        assert {each.id for each in self.run(self.store.expire(self.now))} == over
        self.locks = {key: each for key, each in self.locks.items() if each.id not in over}

    @rule()
    def notices(self) -> None:
        """Each notice is sent by one, and none of a lock that is not there any more is early."""
        for notice in self.run(self.store.due(self.now)):
            assert notice.due_at <= self.now
            assert self.run(self.store.mark_sent(notice, self.now))
            assert not self.run(self.store.mark_sent(notice, self.now))
            if notice.kind is NoticeKind.EXPIRES_SOON:
                assert notice.lock.id in {each.id for each in self.locks.values()}
        assert not self.run(self.store.due(self.now))

    @rule(
        by=PEOPLE,
        place=PLACES,
        lasts=st.sampled_from([None, 500.0]),
        pull=st.sampled_from([None, 7]),
    )
    def lock(self, by: Actor, place: str | None, lasts: float | None, pull: int | None) -> None:
        end = None if lasts is None else self.now + lasts
        wanted = Lock(self.new_id(), REPOSITORY, place, by, "work", self.now, end, pull)
        held = self.live(place)
        result = self.run(self.store.take(wanted, self.now))
        if held is not None and held.owner != by:
            assert result == Busy(held)
            return
        assert isinstance(result, Taken)
        assert result.renewed == (held is not None)
        self.locks[place] = (
            replace(wanted, id=held.id, created_at=held.created_at) if held else wanted
        )
        assert result.lock == self.locks[place]
        self.seen.append(result.lock)

    @precondition(lambda self: self.seen)
    @rule(by=PEOPLE, data=st.data())
    def take_over(self, by: Actor, data: st.DataObject) -> None:
        before = data.draw(st.sampled_from(self.seen))
        wanted = Lock(self.new_id(), REPOSITORY, before.environment, by, "mine now", self.now)
        held = self.live(before.environment)
        result = self.run(self.store.take_over(before.id, wanted, self.now))
        if held is not None and held.id != before.id:
            assert result == Changed(held)
            return
        assert result == Taken(wanted, over=held)
        self.locks[before.environment] = wanted
        self.seen.append(wanted)

    @precondition(lambda self: self.seen)
    @rule(by=PEOPLE, data=st.data())
    def unlock(self, by: Actor, data: st.DataObject) -> None:
        before = data.draw(st.sampled_from(self.seen))
        place = before.environment
        held = self.live(place)
        result = self.run(self.store.release(REPOSITORY, place, before.id, by, self.now))
        if held is None:
            assert result == Gone()
            self.locks.pop(place, None)
        elif held.id != before.id:
            assert result == Changed(held)
        else:
            assert result == Freed(held)
            del self.locks[place]

    @rule()
    def merge(self) -> None:
        by = Actor("ann", "github")
        freed = self.run(self.store.release_for_pull_request(REPOSITORY, 7, self.now, by, ""))
        bound = {key for key, each in self.locks.items() if each.pull_request == 7}
        assert {each.id for each in freed} == {self.locks[key].id for key in bound}
        for key in bound:
            del self.locks[key]

    @invariant()
    def locks_agree(self) -> None:
        found = self.run(self.store.of(REPOSITORY, ENVIRONMENT, self.now))
        expected = [self.live(ENVIRONMENT), self.live(None)]
        assert set(found) == {each for each in expected if each is not None}


class LineMachine(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.line: list[Deployment] = []
        self.ended: dict[str, Outcome] = {}
        self.asked: dict[str, Asked] = {}

    @rule(branch=BRANCHES, sha=st.sampled_from("abc"))
    def submit(self, branch: str | None, sha: str) -> None:
        commit = Commit(sha * 40, branch or sha, branch=branch)
        request = Request(
            Kind.DEPLOY, REPOSITORY, ENVIRONMENT, commit, Trigger.PUSH, Actor("ann", "github")
        )
        made = Deployment(self.new_id(), request, created_at=self.now)
        self.run(self.database.write(lambda connection: insert(connection, made)))
        self.line.append(made)

    @precondition(lambda self: self.line)
    @rule()
    def its_turn(self) -> None:
        """The run of the first one asks whether a newer one takes its place, as the workflow does."""
        first, behind = self.line[0], self.line[1:]
        self.run(self.deployments.begin(first.id))
        mine = first.request.commit
        newer = [
            each
            for each in behind
            if mine.branch is not None
            and each.request.commit.branch == mine.branch
            and each.request.commit.sha != mine.sha
        ]
        found = newer_than(first, self.run(self.queue.behind(first)))
        assert (found.deployment if found else None) == (newer[-1].id if newer else None)
        if found is not None:
            reason = StoppedError(Code.SUPERSEDED, "newer", where=found.deployment).reason
            assert self.run(self.deployments.finish(first.id, Outcome.SUPERSEDED, reason))
            self.leave(first, Outcome.SUPERSEDED)

    @precondition(lambda self: self.line)
    @rule(outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.FAILED]))
    def end(self, outcome: Outcome) -> None:
        first = self.line[0]
        assert self.run(self.deployments.finish(first.id, outcome))
        self.leave(first, outcome)

    @precondition(lambda self: self.line)
    @rule(data=st.data())
    def cancel_one_that_waits(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.line))
        result = self.run(self.deployments.request_cancel(chosen.id, "bob"))
        if result.value == "waiting":
            self.leave(chosen, Outcome.CANCELLED)

    def leave(self, deployment: Deployment, outcome: Outcome) -> None:
        self.line.remove(deployment)
        self.ended[deployment.id] = outcome

    @invariant()
    def the_line_agrees(self) -> None:
        target = f"{REPOSITORY}#{ENVIRONMENT}"
        found = self.run(self.queue.unfinished(target))
        assert [each.id for each in found] == [each.id for each in self.line]
        if found:
            place = self.run(self.queue.place(found[-1], self.now))
            assert [each.id for each in place.before] in ([], [each.id for each in self.line[:-1]])
            behind = len(found) > 1 and found[-1].state is State.WAITING
            assert (place.wait is Wait.BEHIND) == behind

    @invariant()
    def what_ended_stays_so(self) -> None:
        for identity, outcome in list(self.ended.items())[-3:]:
            stored = self.run(self.deployments.get(identity))
            assert stored
            assert stored.outcome is outcome

    # --- approvals

    @precondition(lambda self: self.line)
    @rule(needed=st.integers(1, 2), by=PEOPLE)
    def ask(self, needed: int, by: Actor) -> None:
        """The approve stage of the first one begins, or begins again after a restart."""
        first = self.line[0]
        proposal = Proposal(first.request.commit.sha, (), ())
        request = ApprovalRequest(first.id, proposal, by, needed, self.now, self.now + 900)
        there = self.asked.get(first.id)
        stored = self.run(self.approvals.ask(request))
        assert stored == (there.request if there else request)
        self.asked.setdefault(first.id, Asked(stored))

    @precondition(lambda self: self.asked)
    @rule(by=PEOPLE, verdict=st.sampled_from(Verdict), data=st.data(), is_old=st.booleans())
    def vote(self, by: Actor, verdict: Verdict, data: st.DataObject, *, is_old: bool) -> None:
        identity = data.draw(st.sampled_from(sorted(self.asked)))
        asked = self.asked[identity]
        digest = "f" * 64 if is_old else asked.request.proposal.digest
        vote = Vote(by, verdict, self.now)
        cast = self.run(self.approvals.vote(identity, vote, digest=digest))
        expected = self.expected(asked, by, is_old=is_old)
        assert cast is expected
        if cast is Cast.COUNTED:
            asked.votes[by.name] = verdict

    def expected(self, asked: Asked, by: Actor, *, is_old: bool) -> Cast:
        if by.name in asked.votes:
            return Cast.ALREADY
        is_late = self.now >= asked.request.deadline
        if asked.settled or is_late or asked.request.deployment in self.ended:
            return Cast.CLOSED
        if by == asked.request.asked_by:
            return Cast.ASKED
        return Cast.OUTDATED if is_old else Cast.COUNTED

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        identity = data.draw(st.sampled_from(sorted(self.asked)))
        asked = self.asked[identity]
        found = self.run(self.approvals.settle(identity, self.now))
        assert found
        if asked.settled is None:
            if Verdict.REJECT in asked.votes.values():
                asked.settled = ApprovalState.REJECTED
            elif len(asked.votes) >= asked.request.needed:
                asked.settled = ApprovalState.APPROVED
            elif self.now >= asked.request.deadline:
                asked.settled = ApprovalState.EXPIRED
        assert found.state is (asked.settled or ApprovalState.OPEN)
        assert {each.by.name for each in found.votes} == set(asked.votes)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A database with its schema, so that not every example makes one."""
    file = tmp_path / "template.db"
    migrated(file)
    return file


@pytest.mark.parametrize("machine", [LocksMachine, LineMachine])
def test_store_and_model_agree_whatever_happens(template: Path, machine: type[Machine]) -> None:
    class Prepared(machine):  # type: ignore[misc, valid-type] # a class is made for each database
        pass

    Prepared.template = template
    run_state_machine_as_test(
        Prepared, settings=settings(max_examples=15, stateful_step_count=30, deadline=None)
    )
