"""Every way a command or a deployment can stop: a stable code, its meaning and the next step."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """How a reason ends a command; the command line's exit status follows from it."""

    USAGE = "usage"
    """The command, the settings or the repository's files are wrong: nothing was started."""
    REFUSED = "refused"
    """Well formed, and not allowed now."""
    FAILED = "failed"
    """It was started and did not work."""
    CANCELLED = "cancelled"
    """A person stopped it."""


class Code(StrEnum):
    """Stable names: they appear in JSON, in messages and in docs/reasons.md."""

    # the command and its settings
    BAD_COMMAND = "bad_command"
    COMMAND_OUTDATED = "command_outdated"
    BAD_SETTINGS = "bad_settings"
    GITHUB_IS_SET_UP = "github_is_set_up"
    BAD_INPUT = "bad_input"
    ENVIRONMENT_UNKNOWN = "environment_unknown"
    CLUSTER_UNKNOWN = "cluster_unknown"
    DEPLOYMENT_UNKNOWN = "deployment_unknown"
    NOTHING_TO_ROLL_BACK = "nothing_to_roll_back"
    ONLY_UNKNOWN = "only_unknown"
    # the repository
    REPOSITORY_UNKNOWN = "repository_unknown"
    REPOSITORY_UNREADABLE = "repository_unreadable"
    REF_UNKNOWN = "ref_unknown"
    BRANCH_UNCLEAR = "branch_unclear"
    OTHER_ADDRESS = "other_address"
    LOGIN_IN_URL = "login_in_url"
    PROJECT_INVALID = "project_invalid"
    DOCKERFILE_MISSING = "dockerfile_missing"
    DOCKERFILE_INVALID = "dockerfile_invalid"
    CONTEXT_MISSING = "context_missing"
    SPEC_MISSING = "spec_missing"
    SPEC_INVALID = "spec_invalid"
    SPEC_FIELD_UNKNOWN = "spec_field_unknown"
    SPEC_OUTDATED = "spec_outdated"
    SPEC_CYCLE = "spec_cycle"
    SPEC_DUPLICATE = "spec_duplicate"
    IMAGE_NAME_INVALID = "image_name_invalid"
    IMAGE_NAME_AMBIGUOUS = "image_name_ambiguous"
    TAG_INVALID = "tag_invalid"
    # the gate, in the order in which it looks
    NOT_ON_PULL_REQUEST = "not_on_pull_request"
    BOT_SENDER = "bot_sender"
    NOT_FOLLOWED = "not_followed"
    PERMISSION_MISSING = "permission_missing"
    PERMISSION_UNKNOWN = "permission_unknown"
    NOT_A_DEPLOYER = "not_a_deployer"
    TEAM_UNKNOWN = "team_unknown"
    SLACK_GROUP_UNKNOWN = "slack_group_unknown"
    FORCE_NOT_ALLOWED = "force_not_allowed"
    ENVIRONMENT_FROZEN = "environment_frozen"
    OUTSIDE_HOURS = "outside_hours"
    LOCKED = "locked"
    HELD = "held"
    PULL_REQUEST_MERGED = "pull_request_merged"
    PULL_REQUEST_CLOSED = "pull_request_closed"
    PULL_REQUEST_DRAFT = "pull_request_draft"
    FORK_NOT_ALLOWED = "fork_not_allowed"
    FORK_NEEDS_SHA = "fork_needs_sha"
    FORK_NEEDS_RIGHTS = "fork_needs_rights"
    PROJECT_OF_ANOTHER = "project_of_another"
    BRANCH_NOT_ALLOWED = "branch_not_allowed"
    COMMIT_ELSEWHERE = "commit_elsewhere"
    HEAD_MOVED = "head_moved"
    NOT_THE_HEAD = "not_the_head"
    BASE_NOT_ALLOWED = "base_not_allowed"
    CHECKS_FAILED = "checks_failed"
    CHECKS_PENDING = "checks_pending"
    CHECKS_MISSING = "checks_missing"
    REVIEW_MISSING = "review_missing"
    BEHIND_BASE = "behind_base"
    RELEASE_CHANGED = "release_changed"
    FACT_UNKNOWN = "fact_unknown"
    NOT_LINKED = "not_linked"
    # locks, approvals, the queue
    NOT_LOCKED = "not_locked"
    LOCK_CHANGED = "lock_changed"
    APPROVER_ASKED = "approver_asked"
    NOT_AN_APPROVER = "not_an_approver"
    APPROVAL_OUTDATED = "approval_outdated"
    APPROVAL_NOT_OPEN = "approval_not_open"
    APPROVAL_REJECTED = "approval_rejected"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_MISSING = "approval_missing"
    APPROVAL_IMPOSSIBLE = "approval_impossible"
    SUPERSEDED = "superseded"
    GAVE_WAY = "gave_way"
    # the outside
    ENGINE_UNREACHABLE = "engine_unreachable"
    ENGINE_LACKS = "engine_lacks"
    ENGINE_REFUSED = "engine_refused"
    DISK_FULL = "disk_full"
    BUILD_FAILED = "build_failed"
    BUILD_SECRET_MISSING = "build_secret_missing"  # noqa: S105 - a name, not a secret
    TEST_FAILED = "test_failed"
    TEST_TIMED_OUT = "test_timed_out"
    REGISTRY_UNREACHABLE = "registry_unreachable"
    REGISTRY_REFUSED = "registry_refused"
    PACHD_UNREACHABLE = "pachd_unreachable"
    PACHD_REFUSED = "pachd_refused"
    PACHD_TOO_OLD = "pachd_too_old"
    PIPELINE_MOVED = "pipeline_moved"
    PIPELINE_FAILED = "pipeline_failed"
    JOB_FAILED = "job_failed"
    VERIFY_TIMED_OUT = "verify_timed_out"
    ROLL_BACK_FAILED = "roll_back_failed"
    GITHUB_UNREACHABLE = "github_unreachable"
    GITHUB_REFUSED = "github_refused"
    GITHUB_LOGIN_REFUSED = "github_login_refused"
    GITHUB_LIMITED = "github_limited"
    GIT_BEHIND = "git_behind"
    SLACK_UNREACHABLE = "slack_unreachable"
    SLACK_REFUSED = "slack_refused"
    SLACK_LIMITED = "slack_limited"
    # the bot itself
    DATABASE_IN_USE = "database_in_use"
    DATABASE_UNUSABLE = "database_unusable"
    DATA_DIR_UNUSABLE = "data_dir_unusable"
    NOT_READY = "not_ready"
    STAGE_TIMED_OUT = "stage_timed_out"
    AUDIT_BROKEN = "audit_broken"
    CANCELLED = "cancelled"
    GAVE_UP = "gave_up"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True)
class Meaning:
    """What a code means wherever it appears.

    `next_step` is said when whoever stopped knows nothing more exact.
    """

    kind: Kind
    title: str
    next_step: str


MEANINGS = MappingProxyType(
    {
        Code.BAD_COMMAND: Meaning(
            Kind.USAGE, "The command is not complete or contradicts itself", "See `pachops --help`."
        ),
        Code.COMMAND_OUTDATED: Meaning(
            Kind.REFUSED,
            "The command reached the bot too late",
            "Write it again, if it is still wanted.",
        ),
        Code.BAD_SETTINGS: Meaning(
            Kind.USAGE, "A setting is wrong", "Correct the setting that is named and start again."
        ),
        Code.GITHUB_IS_SET_UP: Meaning(
            Kind.USAGE,
            "The bot has its login on GitHub already",
            "Start it with `pachops serve`. For another App, first take away what is named.",
        ),
        Code.BAD_INPUT: Meaning(
            Kind.USAGE,
            "An input of the Action is missing or wrong",
            "Correct the `with:` of the workflow's step.",
        ),
        Code.ENVIRONMENT_UNKNOWN: Meaning(
            Kind.USAGE,
            "There is no such environment",
            "Name one of the environments in .pachops.yml with `--to`.",
        ),
        Code.CLUSTER_UNKNOWN: Meaning(
            Kind.USAGE,
            "The environment's cluster is not in the settings",
            "Add the cluster to the settings file or set PACHOPS_PACHD_ADDRESS.",
        ),
        Code.DEPLOYMENT_UNKNOWN: Meaning(
            Kind.USAGE, "There is no such deployment", "`pachops history` lists the deployments."
        ),
        Code.NOTHING_TO_ROLL_BACK: Meaning(
            Kind.REFUSED,
            "There is no earlier good deployment to return to",
            "`pachops history` lists what was deployed; deploy the commit you want instead.",
        ),
        Code.ONLY_UNKNOWN: Meaning(
            Kind.USAGE,
            "--only names neither an image nor a pipeline of this repository",
            "Use a name that `pachops deploy --dry-run` lists.",
        ),
        Code.REPOSITORY_UNKNOWN: Meaning(
            Kind.USAGE,
            "That is not a repository",
            "Give an https:// or ssh:// address, or the path of a folder in a git repository.",
        ),
        Code.REPOSITORY_UNREADABLE: Meaning(
            Kind.FAILED,
            "The repository could not be read",
            "Check the address, the network and the login for its host.",
        ),
        Code.REF_UNKNOWN: Meaning(
            Kind.USAGE,
            "The repository has no such branch, tag or commit",
            "Push the commit, or name a branch, tag or SHA that the repository has.",
        ),
        Code.BRANCH_UNCLEAR: Meaning(
            Kind.USAGE,
            "A folder does not say which branch is the default one, whose rules count",
            "Name the repository by its URL, or say which it is: `git remote set-head origin BRANCH` in a "
            "clone, `git config --global init.defaultBranch BRANCH` for what was never fetched.",
        ),
        Code.OTHER_ADDRESS: Meaning(
            Kind.USAGE,
            "The repository is deployed by another address, whose line and locks count",
            "Name it by that address.",
        ),
        Code.LOGIN_IN_URL: Meaning(
            Kind.USAGE,
            "The repository's URL contains a login",
            "Take it out of the URL and put it in the settings under git logins; "
            "change the password, it may have been logged.",
        ),
        Code.PROJECT_INVALID: Meaning(
            Kind.USAGE, ".pachops.yml is not valid", "Correct the line that is named."
        ),
        Code.DOCKERFILE_MISSING: Meaning(
            Kind.USAGE,
            "There is no Dockerfile",
            "Commit one, or name it in .pachops.yml under images: NAME: dockerfile.",
        ),
        Code.DOCKERFILE_INVALID: Meaning(
            Kind.USAGE, "The Dockerfile cannot be read", "Correct the line that is named."
        ),
        Code.CONTEXT_MISSING: Meaning(
            Kind.USAGE,
            "The build context is not a folder of the repository",
            "Correct images: NAME: context in .pachops.yml.",
        ),
        Code.SPEC_MISSING: Meaning(
            Kind.USAGE,
            "There is no pipeline spec",
            "Commit a pipeline.json at the root, or name the specs in .pachops.yml under pipelines.",
        ),
        Code.SPEC_INVALID: Meaning(
            Kind.USAGE, "A pipeline spec cannot be read", "Correct the place that is named."
        ),
        Code.SPEC_FIELD_UNKNOWN: Meaning(
            Kind.USAGE,
            "A pipeline spec has a field that Pachyderm does not know",
            "Correct the field's name or take it out.",
        ),
        Code.SPEC_OUTDATED: Meaning(
            Kind.USAGE,
            "A pipeline spec is written for Pachyderm 1.x",
            "Rewrite the field that is named for Pachyderm 2.",
        ),
        Code.SPEC_CYCLE: Meaning(
            Kind.USAGE, "Pipelines read from each other in a circle", "Break the circle."
        ),
        Code.SPEC_DUPLICATE: Meaning(
            Kind.USAGE,
            "Two specs are for the same pipeline",
            "Rename or remove one of the two.",
        ),
        Code.IMAGE_NAME_INVALID: Meaning(
            Kind.USAGE,
            "An image's name is not one that can be pushed",
            "Write registry.example.com/team/name.",
        ),
        Code.IMAGE_NAME_AMBIGUOUS: Meaning(
            Kind.USAGE,
            "It is not clear which image the Dockerfile makes",
            "Name the image in .pachops.yml under images.",
        ),
        Code.TAG_INVALID: Meaning(
            Kind.USAGE,
            "A tag template does not give a valid tag",
            "A tag has letters, digits, `_`, `.` and `-`, at most 128 of them.",
        ),
        Code.NOT_ON_PULL_REQUEST: Meaning(
            Kind.REFUSED,
            "The comment is not on a pull request",
            "Comment on the pull request that has the commit.",
        ),
        Code.BOT_SENDER: Meaning(
            Kind.REFUSED, "Bots give no commands", "A person has to ask for it."
        ),
        Code.NOT_FOLLOWED: Meaning(
            Kind.REFUSED,
            "The environment does not follow what happened",
            "Change environments: NAME: on in .pachops.yml on the default branch.",
        ),
        Code.PERMISSION_MISSING: Meaning(
            Kind.REFUSED,
            "Who asked has not enough permission in the repository",
            "Ask somebody who has it.",
        ),
        Code.PERMISSION_UNKNOWN: Meaning(
            Kind.REFUSED,
            "It could not be looked up what who asked may do in the repository",
            "Ask again in a minute; where it stays so, the call that is named says what is wrong.",
        ),
        Code.NOT_A_DEPLOYER: Meaning(
            Kind.REFUSED,
            "Who asked is not one of the environment's deployers",
            "Ask one of them; environments: NAME: deployers in .pachops.yml names them, and lets a "
            "terminal in with `terminal: true`.",
        ),
        Code.TEAM_UNKNOWN: Meaning(
            Kind.REFUSED,
            "A team that the rules name does not exist or cannot be read",
            "Correct the team's name in .pachops.yml, or let the GitHub App read the "
            "organisation's members.",
        ),
        Code.SLACK_GROUP_UNKNOWN: Meaning(
            Kind.REFUSED,
            "A Slack user group that the rules name does not exist or cannot be read",
            "Correct the group's handle in .pachops.yml, or link the person's Slack account.",
        ),
        Code.FORCE_NOT_ALLOWED: Meaning(
            Kind.REFUSED,
            "Who asked may not force a deployment to the environment",
            "Ask one of those whom environments: NAME: force in .pachops.yml names; it lets a "
            "terminal in with `terminal: true`.",
        ),
        Code.ENVIRONMENT_FROZEN: Meaning(
            Kind.REFUSED,
            "The environment is frozen at this time",
            "Wait for its end; environments: NAME: not in .pachops.yml has the freezes.",
        ),
        Code.OUTSIDE_HOURS: Meaning(
            Kind.REFUSED,
            "The environment takes no deployments at this hour",
            "Wait for its hours; environments: NAME: hours in .pachops.yml has them.",
        ),
        Code.LOCKED: Meaning(
            Kind.REFUSED,
            "Somebody else has locked the environment",
            "Ask them to unlock it, or take the lock over.",
        ),
        Code.HELD: Meaning(
            Kind.REFUSED,
            "The environment was rolled back and takes commands only",
            "Deploy by command, or release it, when what was wrong is mended.",
        ),
        Code.PULL_REQUEST_MERGED: Meaning(
            Kind.REFUSED,
            "The pull request has been merged",
            "Deploy the branch that it was merged into.",
        ),
        Code.PULL_REQUEST_CLOSED: Meaning(
            Kind.REFUSED, "The pull request is closed", "Open it again."
        ),
        Code.PULL_REQUEST_DRAFT: Meaning(
            Kind.REFUSED, "The pull request is a draft", "Mark it as ready for review."
        ),
        Code.FORK_NOT_ALLOWED: Meaning(
            Kind.REFUSED,
            "Nothing is taken from a fork here",
            "Push the commits to a branch of the repository itself and deploy that.",
        ),
        Code.FORK_NEEDS_SHA: Meaning(
            Kind.REFUSED,
            "A commit of a fork is deployed only by its whole SHA",
            "Look at the commit, then type the command with all 40 digits of its SHA.",
        ),
        Code.FORK_NEEDS_RIGHTS: Meaning(
            Kind.REFUSED,
            "The fork's files ask for what a fork's code may not have",
            "Look at the commits, push them to a branch of the repository itself and deploy that.",
        ),
        Code.PROJECT_OF_ANOTHER: Meaning(
            Kind.REFUSED,
            "The pipeline is in the project of another environment",
            "Deploy it to that environment, or take pipeline.project out of its spec. Environments that"
            " share a project on purpose both name it in .pachops.yml on the default branch.",
        ),
        Code.BRANCH_NOT_ALLOWED: Meaning(
            Kind.REFUSED,
            "The environment does not take this branch",
            "Deploy a branch that environments: NAME: branches in .pachops.yml allows.",
        ),
        Code.COMMIT_ELSEWHERE: Meaning(
            Kind.REFUSED,
            "The commit is neither in the pull request nor in an allowed branch",
            "Deploy a commit of the pull request, or merge this one first.",
        ),
        Code.HEAD_MOVED: Meaning(
            Kind.REFUSED,
            "The pull request's head moved after the command",
            "Look at the new commits, then ask for the head by its SHA.",
        ),
        Code.NOT_THE_HEAD: Meaning(
            Kind.REFUSED,
            "Reviews and freshness are known for the pull request's newest commit only",
            "Deploy the newest commit.",
        ),
        Code.BASE_NOT_ALLOWED: Meaning(
            Kind.REFUSED,
            "Checks, reviews and freshness are those of a branch that the environment takes, and the"
            " pull request is to be merged into another",
            "Change its base and ask for it then, or let environments: NAME: branches in .pachops.yml have that branch.",
        ),
        Code.CHECKS_FAILED: Meaning(
            Kind.REFUSED, "A check that must succeed has failed", "Correct what it found."
        ),
        Code.CHECKS_PENDING: Meaning(
            Kind.REFUSED,
            "A check that must succeed has not finished",
            "Wait for it, then ask again.",
        ),
        Code.CHECKS_MISSING: Meaning(
            Kind.REFUSED,
            "A check that must succeed has not reported",
            "Start it, or correct environments: NAME: requires in .pachops.yml.",
        ),
        Code.REVIEW_MISSING: Meaning(
            Kind.REFUSED,
            "The pull request is not approved",
            "Ask for a review, then ask again.",
        ),
        Code.BEHIND_BASE: Meaning(
            Kind.REFUSED,
            "The pull request does not have the newest commits of its base branch",
            "Update its branch, then ask again.",
        ),
        Code.RELEASE_CHANGED: Meaning(
            Kind.REFUSED,
            "The release is not what it was when it was published",
            "Look at what it brings now, then deploy its tag by command.",
        ),
        Code.FACT_UNKNOWN: Meaning(
            Kind.REFUSED,
            "What must be known to decide could not be looked up",
            "Ask again in a minute.",
        ),
        Code.NOT_LINKED: Meaning(
            Kind.REFUSED,
            "It is not known who you are on GitHub",
            "Type `/pachops link` in Slack.",
        ),
        Code.NOT_LOCKED: Meaning(
            Kind.REFUSED, "There is no such lock", "Nothing is to be done: it is free."
        ),
        Code.LOCK_CHANGED: Meaning(
            Kind.REFUSED,
            "The lock is not the one that was seen any more",
            "Look who holds it now, then unlock it or take it over again.",
        ),
        Code.APPROVER_ASKED: Meaning(
            Kind.REFUSED,
            "Nobody approves what they asked for themselves",
            "Ask somebody else to look at it; who asked can cancel it.",
        ),
        Code.NOT_AN_APPROVER: Meaning(
            Kind.REFUSED,
            "Who voted is not one of the environment's approvers",
            "Ask one of them; environments: NAME: approvals: who in .pachops.yml names them, and lets "
            "a terminal in with `terminal: true`.",
        ),
        Code.APPROVAL_OUTDATED: Meaning(
            Kind.REFUSED,
            "The approval is for another commit or another plan",
            "Look at what the deployment would do now, then approve that.",
        ),
        Code.APPROVAL_NOT_OPEN: Meaning(
            Kind.REFUSED,
            "The deployment does not wait for approval",
            "See how it stands: `pachops show ID`.",
        ),
        Code.APPROVAL_REJECTED: Meaning(
            Kind.REFUSED,
            "Somebody rejected the deployment; no pipeline was changed",
            "Ask them why, change it and deploy again.",
        ),
        Code.APPROVAL_EXPIRED: Meaning(
            Kind.REFUSED,
            "Nobody approved the deployment in time; no pipeline was changed",
            "Deploy again when somebody is there to approve it.",
        ),
        Code.APPROVAL_MISSING: Meaning(
            Kind.REFUSED,
            "The rules ask for more approvals by now than were given; no pipeline was changed",
            "Deploy again: the approvals are asked for then.",
        ),
        Code.APPROVAL_IMPOSSIBLE: Meaning(
            Kind.REFUSED,
            "Nobody could approve the deployment where it runs; nothing was begun",
            "Ask a bot that stays (`pachops serve`) to deploy it, or protect the workflow's job "
            "with an environment of GitHub and leave approvals out of the rules.",
        ),
        Code.SUPERSEDED: Meaning(
            Kind.REFUSED,
            "A newer commit of the same branch takes its place; no pipeline was changed",
            "Nothing is to be done: the newer deployment brings this commit's changes too.",
        ),
        Code.GAVE_WAY: Meaning(
            Kind.REFUSED,
            "It waited for approval when something urgent came; no pipeline was changed",
            "Deploy it again when what was urgent is over.",
        ),
        Code.ENGINE_UNREACHABLE: Meaning(
            Kind.FAILED,
            "The Docker Engine does not answer",
            "Start it, or set DOCKER_HOST to one that runs.",
        ),
        Code.ENGINE_LACKS: Meaning(
            Kind.FAILED,
            "This Docker Engine cannot do what the build needs",
            "Use an engine with BuildKit (Docker 18.09 or newer).",
        ),
        Code.ENGINE_REFUSED: Meaning(
            Kind.FAILED, "The Docker Engine refused", "Correct what the engine names."
        ),
        Code.DISK_FULL: Meaning(
            Kind.FAILED,
            "A disk is full",
            "Free space (`docker system prune` on the engine's machine), then deploy again.",
        ),
        Code.BUILD_FAILED: Meaning(
            Kind.FAILED,
            "The image could not be built",
            "Correct the step that is named; the log has its last lines.",
        ),
        Code.BUILD_SECRET_MISSING: Meaning(
            Kind.USAGE,
            "The build asks for a secret that the settings do not have",
            "Add the secret to the settings under build secrets.",
        ),
        Code.TEST_FAILED: Meaning(
            Kind.FAILED,
            "The image's test failed; nothing was pushed",
            "Read the test's output, correct the code and deploy again.",
        ),
        Code.TEST_TIMED_OUT: Meaning(
            Kind.FAILED,
            "The image's test took too long and was stopped; nothing was pushed",
            "Make the test faster or raise images: NAME: test_timeout.",
        ),
        Code.REGISTRY_UNREACHABLE: Meaning(
            Kind.FAILED, "The registry does not answer", "Check its address and the network."
        ),
        Code.REGISTRY_REFUSED: Meaning(
            Kind.FAILED,
            "The registry refused",
            "Log in with `docker login` as the user that the bot runs as, "
            "with the right to push to this repository.",
        ),
        Code.PACHD_UNREACHABLE: Meaning(
            Kind.FAILED,
            "Pachyderm does not answer",
            "Check the cluster's address and the network.",
        ),
        Code.PACHD_REFUSED: Meaning(
            Kind.FAILED,
            "Pachyderm refused",
            "Correct what Pachyderm names; no pipeline was changed.",
        ),
        Code.PACHD_TOO_OLD: Meaning(
            Kind.FAILED,
            "This Pachyderm is too old",
            "Upgrade Pachyderm to 2.8 or newer.",
        ),
        Code.PIPELINE_MOVED: Meaning(
            Kind.FAILED,
            "Somebody else updated a pipeline during the deployment",
            "Look at what changed (`pachctl list pipeline --history all`), then deploy again.",
        ),
        Code.PIPELINE_FAILED: Meaning(
            Kind.FAILED,
            "A pipeline does not run",
            "The fact names Pachyderm's own reason; correct it and deploy again.",
        ),
        Code.JOB_FAILED: Meaning(
            Kind.FAILED,
            "A job of the new version failed",
            "Read the job's logs (`pachctl logs --job`), correct the code and deploy again.",
        ),
        Code.VERIFY_TIMED_OUT: Meaning(
            Kind.FAILED,
            "The pipelines were not seen to work in time",
            "Look at the pipelines' pods, or raise environments: NAME: verify: timeout.",
        ),
        Code.ROLL_BACK_FAILED: Meaning(
            Kind.FAILED,
            "The old specs could not be put back",
            "Put them back by hand: `pachops show ID --json` has them.",
        ),
        Code.GITHUB_UNREACHABLE: Meaning(
            Kind.FAILED,
            "GitHub does not answer",
            "See githubstatus.com, and check the network; then ask again.",
        ),
        Code.GITHUB_REFUSED: Meaning(
            Kind.FAILED, "GitHub refused", "Correct what GitHub names, then ask again."
        ),
        Code.GITHUB_LOGIN_REFUSED: Meaning(
            Kind.FAILED,
            "GitHub does not take the bot's login",
            "Check the App's id and private key, or the token, in the settings, and the machine's "
            "clock.",
        ),
        Code.GITHUB_LIMITED: Meaning(
            Kind.FAILED,
            "GitHub takes no more calls for a while",
            "Wait until the limit is over, then ask again.",
        ),
        Code.GIT_BEHIND: Meaning(
            Kind.FAILED,
            "GitHub told of something that its git does not show",
            "See githubstatus.com, then ask for it by command.",
        ),
        Code.SLACK_UNREACHABLE: Meaning(
            Kind.FAILED,
            "Slack does not answer",
            "See slack-status.com, and check the network; no deployment waits for it.",
        ),
        Code.SLACK_REFUSED: Meaning(
            Kind.FAILED, "Slack refused", "`pachops setup slack` says what is missing."
        ),
        Code.SLACK_LIMITED: Meaning(
            Kind.FAILED,
            "Slack takes no more calls for a while",
            "Wait a minute, then ask again.",
        ),
        Code.DATABASE_IN_USE: Meaning(
            Kind.REFUSED,
            "Another pachops is using this database",
            "Wait for it, or give this one its own PACHOPS_DATABASE_URL.",
        ),
        Code.DATABASE_UNUSABLE: Meaning(
            Kind.USAGE, "The database cannot be used", "Check PACHOPS_DATABASE_URL."
        ),
        Code.DATA_DIR_UNUSABLE: Meaning(
            Kind.USAGE, "The data folder cannot be used", "Check PACHOPS_DATA_DIR."
        ),
        Code.NOT_READY: Meaning(
            Kind.FAILED, "pachops cannot take on work now", "Ask again in a moment."
        ),
        Code.STAGE_TIMED_OUT: Meaning(
            Kind.FAILED,
            "A stage took too long and was stopped",
            "Find what it waited for in the log, or raise the stage's time-out in the settings.",
        ),
        Code.AUDIT_BROKEN: Meaning(
            Kind.FAILED,
            "The audit is not as it was written",
            "Compare it with a backup: somebody changed, dropped or added rows in the database.",
        ),
        Code.CANCELLED: Meaning(Kind.CANCELLED, "Cancelled", "Deploy again when you are ready."),
        Code.GAVE_UP: Meaning(
            Kind.FAILED,
            "The deployment was interrupted too often",
            "The bot stopped in the middle of it again and again: read the bot's own log.",
        ),
        Code.INTERNAL_ERROR: Meaning(
            Kind.FAILED,
            "An error in pachops itself",
            "Report it with the lines that the bot's own log has for this deployment.",
        ),
    }
)


GITHUB_PASSES = frozenset({Code.GITHUB_UNREACHABLE, Code.GITHUB_LIMITED, Code.GITHUB_LOGIN_REFUSED})
"""Whatever is asked of GitHub meets these, and a little later perhaps not: it is asked again."""


@dataclass(frozen=True)
class Reason:
    """Why something stopped: the code, the fact behind it, the place and the next step."""

    code: Code
    fact: str
    next_step: str
    where: str | None = None
    """File, line, field, image or pipeline; None where there is no narrower place."""

    @property
    def kind(self) -> Kind:
        """How this reason ends a command."""
        return MEANINGS[self.code].kind

    @property
    def title(self) -> str:
        """The code's meaning in one line."""
        return MEANINGS[self.code].title


class StoppedError(Exception):
    """Raised where work cannot go on, with the reason that a person will read."""

    def __init__(
        self, code: Code, fact: str, *, where: str | None = None, next_step: str | None = None
    ) -> None:
        self.reason = Reason(code, fact, next_step or MEANINGS[code].next_step, where)
        self.also: tuple[Reason, ...] = ()
        """What else stands in the way."""
        super().__init__(f"{code}: {fact}" + (f" ({where})" if where else ""))
