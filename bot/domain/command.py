"""One grammar for comments, Slack and the command line.

A line is a command's name and its words, split as a shell would. In `deploy [ENV] [REF|SHA]` a
word alone is the environment, unless it looks like a SHA (7 to 40 hexadecimal digits) or has a
`/`, which no environment's name has: then it is the ref. Of two words the first is the
environment. `--to ENV` and `--ref REF` say the same by name.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, get_args

from bot.domain.command_form import (
    Argument,
    Form,
    Mistake,
    MistakeError,
    Option,
    Who,
    mistaken,
    read_code,
    read_duration,
    read_environment,
    read_id,
    read_name,
    read_owner,
    read_reason,
    read_ref,
    read_repository,
    read_seen,
    read_steps,
    read_subject,
    read_topic,
    seconds_of_duration,
    shown,
)
from bot.domain.command_words import Value, fill, nearest, split_line, words_of

MOST_NAMES = 20
"""How often `--only` may be given."""

EVENTS = ("deployments", "failures", "releases")
"""What a channel can hear of."""
USUAL_EVENTS = ("deployments", "releases")

_ENVIRONMENT = Argument("environment", "ENV", read_environment, flag="--to")
_DEPLOYMENT = Argument("deployment", "ID", read_id)
_EVERYWHERE = Option(
    "everywhere", "--all", "All environments of the repository.", instead_of="environment"
)
_SEEN = Argument("seen", "SHA|DIGEST", read_seen, flag="--at")


@dataclass(frozen=True)
class Deploy:
    """Bring an environment to a commit."""

    form: ClassVar[Form] = Form(
        "deploy",
        "Build, test, push, update and verify what a commit changes.",
        Who.DEPLOYERS,
        (_ENVIRONMENT, Argument("ref", "REF|SHA", read_ref, flag="--ref")),
        (
            Option(
                "only",
                "--only",
                "Only this image or pipeline.",
                metavar="NAME",
                read=read_name,
                most=MOST_NAMES,
            ),
            Option("reprocess", "--reprocess", "Compute data again that was processed before."),
            Option(
                "force",
                "--force",
                "Skip checks, reviews, freezes, locks and approvals, for a reason; comes last.",
                metavar="REASON",
                read=read_reason,
                takes_rest=True,
            ),
        ),
        ("deploy staging", "deploy production v1.4.0", "deploy staging --only edges"),
        near=("redeploy", "ship", "promote", "release", "run", "build", "update"),
    )

    environment: str | None = None
    """None: the only one that there is."""
    ref: str | None = None
    """None: the pull request's head, or the default branch where there is none."""
    only: tuple[str, ...] = ()
    reprocess: bool = False
    force: str | None = None
    """Why what can be skipped is to be skipped."""


@dataclass(frozen=True)
class Plan:
    """Show what a deployment would do."""

    form: ClassVar[Form] = Form(
        "plan",
        "Show what a deployment would do, and change nothing.",
        Who.DEPLOYERS,
        (_ENVIRONMENT,),
        examples=("plan staging",),
        near=("diff", "preview", "dry-run", "noop"),
    )

    environment: str | None = None


@dataclass(frozen=True)
class Rollback:
    """Put back what ran before."""

    form: ClassVar[Form] = Form(
        "rollback",
        "Put back the specs and images of an earlier good deployment.",
        Who.DEPLOYERS,
        (Argument("environment", "ENV", read_environment, flag="--to", required=True),),
        (
            Option(
                "steps",
                "--steps",
                "How many good deployments to undo; 1 where it is not said.",
                metavar="N",
                read=read_steps,
            ),
        ),
        ("rollback production", "rollback production --steps 2"),
        near=("revert", "undo", "back"),
    )

    environment: str
    steps: int = 1


@dataclass(frozen=True)
class Cancel:
    """Stop a deployment."""

    form: ClassVar[Form] = Form(
        "cancel",
        "Stop a deployment that waits or runs; what it changed is put back.",
        Who.DEPLOYERS,
        (_DEPLOYMENT,),
        examples=("cancel", "cancel 06h8k2m4"),
        near=("abort", "stop", "kill"),
    )

    deployment: str | None = None
    """None: the one of this pull request that is under way."""


@dataclass(frozen=True)
class Status:
    """What runs where."""

    form: ClassVar[Form] = Form(
        "status",
        "What runs where, what is under way and what waits.",
        Who.READERS,
        examples=("status",),
        near=("state", "list", "where"),
    )


@dataclass(frozen=True)
class History:
    """The deployments so far."""

    form: ClassVar[Form] = Form(
        "history",
        "The deployments so far, the newest first.",
        Who.READERS,
        examples=("history",),
        near=("log", "past"),
    )


@dataclass(frozen=True)
class Lock:
    """Keep others from deploying."""

    form: ClassVar[Form] = Form(
        "lock",
        "Keep everybody else from deploying to an environment. On a pull request it is released "
        "when that is merged or closed.",
        Who.DEPLOYERS,
        (_ENVIRONMENT, Argument("reason", "REASON", read_reason, flag="--reason", takes_rest=True)),
        (
            _EVERYWHERE,
            Option(
                "lasts",
                "--for",
                "How long; without it, until it is released.",
                metavar="2h",
                read=read_duration,
            ),
            Option(
                "take_from",
                "--take-from",
                "Take over the lock of this person, who gets a notice.",
                metavar="NAME",
                read=read_owner,
            ),
        ),
        (
            "lock production",
            "lock production --for 2h trying another base image",
            "lock --all --for 1d the cluster is moved",
            "lock production --take-from grace",
        ),
        near=("freeze", "hold"),
    )

    environment: str | None = None
    """None: the only one that there is."""
    reason: str = ""
    everywhere: bool = False
    """All environments, those that do not exist yet too."""
    lasts: str | None = None
    """Such as `2h`; None: until it is released."""
    take_from: str | None = None
    """Whose lock it was when they looked."""

    @property
    def seconds(self) -> float | None:
        """How long it lasts."""
        return None if self.lasts is None else float(seconds_of_duration(self.lasts))


@dataclass(frozen=True)
class Unlock:
    """Let others deploy again."""

    form: ClassVar[Form] = Form(
        "unlock",
        "Let everybody deploy to an environment again.",
        Who.DEPLOYERS,
        (_ENVIRONMENT,),
        (
            _EVERYWHERE,
            Option(
                "owner",
                "--of",
                "Whose lock it is, where it is not your own; they get a notice.",
                metavar="NAME",
                read=read_owner,
            ),
        ),
        ("unlock production", "unlock production --of grace", "unlock --all"),
        near=("unfreeze", "thaw"),
    )

    environment: str | None = None
    everywhere: bool = False
    """The lock of all environments, not each one's own."""
    owner: str | None = None
    """Whose lock it was when they looked; None: their own."""


@dataclass(frozen=True)
class Resume:
    """Let an environment follow pushes and releases again."""

    form: ClassVar[Form] = Form(
        "resume",
        "Let pushes and releases deploy to an environment again after a rollback, without "
        "deploying now.",
        Who.DEPLOYERS,
        (_ENVIRONMENT,),
        examples=("resume production",),
        near=("continue", "unhold"),
    )

    environment: str | None = None


@dataclass(frozen=True)
class Approve:
    """Let a deployment that waits go on."""

    form: ClassVar[Form] = Form(
        "approve",
        "Let a deployment that waits for approval go on.",
        Who.APPROVERS,
        (_DEPLOYMENT, _SEEN),
        examples=("approve", "approve 06h8k2m4 3f9a2c1d7b"),
        near=("lgtm", "confirm", "yes"),
    )

    deployment: str | None = None
    """None: the one of this pull request that waits for approval."""
    seen: str | None = None
    """The first digits of the commit, or of the plan's digest, that they looked at."""


@dataclass(frozen=True)
class Reject:
    """End a deployment that waits for approval."""

    form: ClassVar[Form] = Form(
        "reject",
        "End a deployment that waits for approval.",
        Who.APPROVERS,
        (_DEPLOYMENT, _SEEN),
        examples=("reject", "reject 06h8k2m4 3f9a2c1d7b"),
        near=("deny", "no"),
    )

    deployment: str | None = None
    seen: str | None = None


@dataclass(frozen=True)
class Why:
    """Why a deployment waits, was refused or failed."""

    form: ClassVar[Form] = Form(
        "why",
        "Why a deployment waits, was refused or failed.",
        Who.READERS,
        (_DEPLOYMENT,),
        examples=("why", "why 06h8k2m4"),
        near=("explain", "reason"),
    )

    deployment: str | None = None


@dataclass(frozen=True)
class Link:
    """Say who one is on the other surface."""

    form: ClassVar[Form] = Form(
        "link",
        "Join your Slack user and your GitHub login: in Slack it gives a code, which you type on "
        "a pull request; with your login it looks for the same e-mail address on both sides.",
        Who.EVERYBODY,
        (Argument("proof", "CODE|LOGIN", read_code),),
        examples=("link", "link ada", "link x7k2m4q9ws"),
        near=("login", "signin", "connect", "join"),
    )

    proof: str | None = None
    """None: a code is asked for."""


@dataclass(frozen=True)
class Unlink:
    """Part the two again."""

    form: ClassVar[Form] = Form(
        "unlink",
        "Part your Slack user and your GitHub login again.",
        Who.EVERYBODY,
        examples=("unlink",),
        near=("logout", "signout", "disconnect"),
    )


@dataclass(frozen=True)
class Subscribe:
    """Let a Slack channel hear of a repository."""

    form: ClassVar[Form] = Form(
        "subscribe",
        "Let this Slack channel hear of a repository; without one, list what it hears of. "
        "Events are deployments, failures and releases.",
        Who.READERS,
        (
            Argument("repository", "OWNER/NAME", read_repository),
            Argument("subjects", "ENV|EVENT", read_subject, most=MOST_NAMES),
        ),
        examples=("subscribe acme/edges", "subscribe acme/edges production releases", "subscribe"),
        near=("follow", "watch", "notify", "subscriptions"),
    )

    repository: str | None = None
    subjects: tuple[str, ...] = ()
    """Names of EVENTS, and of environments; none of a kind means the usual ones."""

    @property
    def events(self) -> tuple[str, ...]:
        """Those that are named, or the usual ones."""
        named = tuple(each for each in self.subjects if each in EVENTS)
        return named or USUAL_EVENTS

    @property
    def environments(self) -> tuple[str, ...]:
        """Those that are named; none means all."""
        return tuple(each for each in self.subjects if each not in EVENTS)


@dataclass(frozen=True)
class Unsubscribe:
    """Let a Slack channel hear no more of a repository."""

    form: ClassVar[Form] = Form(
        "unsubscribe",
        "Let this Slack channel hear no more of a repository.",
        Who.READERS,
        (Argument("repository", "OWNER/NAME", read_repository, required=True),),
        examples=("unsubscribe acme/edges",),
        near=("unfollow", "unwatch", "mute"),
    )

    repository: str


@dataclass(frozen=True)
class Help:
    """How commands are written."""

    form: ClassVar[Form] = Form(
        "help",
        "How commands are written.",
        Who.READERS,
        (Argument("topic", "COMMAND", read_topic),),
        examples=("help", "help deploy"),
        near=("commands", "usage", "?"),
    )

    topic: str | None = None
    """A command's name; None: all of them."""


Command = (
    Deploy
    | Plan
    | Rollback
    | Cancel
    | Status
    | History
    | Lock
    | Unlock
    | Resume
    | Approve
    | Reject
    | Why
    | Link
    | Unlink
    | Subscribe
    | Unsubscribe
    | Help
)

_BY_NAME: Mapping[str, type[Command]] = MappingProxyType(
    {command.form.name: command for command in get_args(Command)}
)

FORMS: tuple[Form, ...] = tuple(command.form for command in _BY_NAME.values())
"""Every command's help; a command that is not here does not exist."""


def parse(line: str) -> Command | Mistake:
    """Read what stands after the word that commands begin with; never raises.

    An empty line asks for help.
    """
    form: Form | None = None
    try:
        words = split_line(line)
        if not words:
            return Help()
        kind = _find(words)
        form = kind.form
        if {"-h", "--help"} & set(words[1:]):
            return Help(form.name)
        return _make(kind, fill(form, words[1:]))
    except MistakeError as error:
        return Mistake(error.fact, error.suggestion, form.name if form else None)


def render(command: Command) -> str:
    """The line that `parse` reads as this command."""
    return shlex.join([command.form.name, *words_of(command, command.form)])


def _find(words: list[str]) -> type[Command]:
    asked = words[0].lower()
    if asked in _BY_NAME:
        return _BY_NAME[asked]
    if asked in {"-h", "--help"}:
        return Help
    meant = _meant(asked)
    fact = f"there is no command {shown(words[0])}"
    if meant is None:
        mistaken(f"{fact}; there are: {', '.join(_BY_NAME)}")
    again = shlex.join([meant, *words[1:]])
    raise MistakeError(fact, meant if "`" in again else again)


def _meant(asked: str) -> str | None:
    for form in FORMS:
        if asked in form.near:
            return form.name
    return nearest(asked, _BY_NAME)


def _make(kind: type[Command], values: dict[str, Value]) -> Command:
    topic = values.get("topic")
    if isinstance(topic, str) and topic not in _BY_NAME:
        near = _meant(topic)
        mistaken(f"there is no command {shown(topic)}", f"help {near}" if near else None)
    make: Callable[..., Command] = kind
    return make(**values)
