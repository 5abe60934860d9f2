"""The engine's error texts -> reasons. Pure: what a build or a push said of why it failed."""

import re
from dataclasses import dataclass

from bot.domain.reasons import Code, StoppedError
from bot.services.docker.orders import BuildOrder
from bot.services.docker.trace import FailedStep

_DISK_FULL = re.compile(r"no space left on device", re.IGNORECASE)
_REFUSED = re.compile(
    r"access denied|authorization failed|insufficient_scope|unauthorized|no basic auth credentials"
    r"|\b401\b|\b403\b|\bdenied\b|incorrect username or password|authentication required",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"connection refused|no such host|i/o timeout|connection reset|network is unreachable"
    r"|no route to host|context deadline exceeded|Client\.Timeout|TLS handshake|x509:"
    r"|HTTP response to HTTPS client|server misbehaving|\bEOF\b|broken pipe|\b50[0234]\b"
    r"|HTTP status: 5\d\d|status code.*\b5\d\d\b",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"connection reset|unexpected EOF|broken pipe|blob unknown|HTTP status: 5\d\d|status code.*\b5\d\d\b",
    re.IGNORECASE,
)
_EXIT_STATUS = re.compile(r"(?:exit code|non-zero code): (\d+)")
_PARSE_ERROR = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.*)", re.IGNORECASE)
_LINE = re.compile(r"\bDockerfile:(\d+)")
_UNKNOWN_INSTRUCTION = re.compile(r"unknown instruction", re.IGNORECASE)
_SYNTAX = re.compile(r"resolve image config for (\S+)")
_METADATA = re.compile(r"\[internal\] load metadata for (\S+)")
_FROM = re.compile(r"(?:\[\S+\] )?FROM (?:--\S+ )*(\S+)", re.IGNORECASE)
_BUILDKIT_NEEDED = re.compile(r"requires BuildKit|unknown flag: (mount|link)", re.IGNORECASE)
_NO_SESSION = re.compile(r"no active session", re.IGNORECASE)
_NO_DOCKERFILE = re.compile(
    r"failed to read dockerfile|Cannot locate specified Dockerfile",
    re.IGNORECASE,
)
_WRAPPING = re.compile(
    r"^(?:failed to solve(?: with frontend [\w.]+)?|failed to create LLB definition"
    r"|rpc error: code = \w+ desc =|failed to compute cache key|error from sender):? +"
)


_HERE_DOCUMENTS = (
    "Correct the line that is named. Where it is in a here-document (`<<EOF`): engines before 23 "
    "read those only with `# syntax=docker/dockerfile:1` as the Dockerfile's first line."
)


@dataclass(frozen=True)
class BuildEnd:
    """How a build failed."""

    order: BuildOrder
    message: str
    """The engine's last word."""
    step: FailedStep | None = None
    missing_secrets: frozenset[str] = frozenset()
    """Ids that the build asked for in vain."""

    @property
    def said(self) -> str:
        """All that there is to read of it."""
        if self.step is None:
            return self.message
        return "\n".join((self.message, self.step.error, *self.step.last_lines))

    @property
    def where(self) -> str:
        """The Dockerfile, its line where the engine gives it, and the step."""
        line = _LINE.search(self.message)
        return self.at(line[1] if line else None, self.step.text if self.step else None)

    def at(self, line: str | None = None, step: str | None = None) -> str:
        """A place in the Dockerfile: its path, a line, the image, a step."""
        path = self.order.place or self.order.dockerfile
        parts = f"{path}:{line}" if line else path, f"image {self.order.image}", step
        return ": ".join(part for part in parts if part)

    @property
    def fact(self) -> str:
        """The step and what it ended with."""
        if self.step is None:
            return unwrapped(self.message)
        status = _EXIT_STATUS.search(self.step.error) or _EXIT_STATUS.search(self.message)
        ending = f"exit status {status[1]}" if status else unwrapped(self.step.error)
        if self.step.number is None:
            return f"{self.step.text}: {ending}"
        return f"step {self.step.number} of {self.step.total}, `{self.step.text}`: {ending}"


def build_failure(end: BuildEnd) -> StoppedError:
    """Why a build failed."""
    return (
        _disk_failure(end)
        or _secret_failure(end)
        or _engine_failure(end)
        or _base_failure(end)
        or _syntax_failure(end)
        or _dockerfile_failure(end)
        or StoppedError(Code.BUILD_FAILED, end.fact, where=end.where)
    )


def _disk_failure(end: BuildEnd) -> StoppedError | None:
    if not _DISK_FULL.search(end.said):
        return None
    return StoppedError(
        Code.DISK_FULL, "no space left on the engine's disk", where=f"image {end.order.image}"
    )


def _secret_failure(end: BuildEnd) -> StoppedError | None:
    for name in sorted(end.missing_secrets):
        if re.search(rf"\b{re.escape(name)}: not found", end.said):
            fact = f"the build asks for the secret '{name}'"
            return StoppedError(Code.BUILD_SECRET_MISSING, fact, where=end.where)
        # Where the mount does not say `required`, the step runs without its secret.
        if end.step and re.search(rf"\bid={re.escape(name)}\b", end.step.text):
            fact = f"the step asks for the secret '{name}' and failed without it; {end.fact}"
            return StoppedError(Code.BUILD_SECRET_MISSING, fact, where=end.where)
    return None


def _engine_failure(end: BuildEnd) -> StoppedError | None:
    if not _BUILDKIT_NEEDED.search(end.said):
        return None
    fact = "the Dockerfile needs BuildKit, which this engine does not have"
    return StoppedError(Code.ENGINE_LACKS, fact, where=end.where)


def _base_failure(end: BuildEnd) -> StoppedError | None:
    """The image that it is FROM could not be had."""
    match = end.step and (_METADATA.fullmatch(end.step.text) or _FROM.match(end.step.text))
    if not match or end.step is None:
        return None
    error, where = end.step.error, end.at(step=f"FROM {match[1]}")
    fact = f"base image {match[1]}: {unwrapped(error)}"
    if _NO_SESSION.search(error):
        fact = f"{match[1]} needs a login, and this engine does not let BuildKit ask for it"
        return StoppedError(Code.ENGINE_LACKS, fact, where=where)
    if _REFUSED.search(error):
        return StoppedError(
            Code.REGISTRY_REFUSED,
            fact,
            where=where,
            next_step="Use a public base image: this build has no registry login."
            if end.order.no_logins
            else "Log in with `docker login` as the user that the bot runs as, with the right "
            "to pull this image, or correct its name.",
        )
    if _UNREACHABLE.search(error):
        return StoppedError(Code.REGISTRY_UNREACHABLE, fact, where=where)
    return StoppedError(
        Code.BUILD_FAILED,
        fact,
        where=where,
        next_step="Correct the name or the tag of the base image.",
    )


def _syntax_failure(end: BuildEnd) -> StoppedError | None:
    """The image that reads the Dockerfile, by its `# syntax=` line, could not be had."""
    match = end.step and _SYNTAX.match(end.step.text)
    if not match or end.step is None:
        return None
    unreachable = _UNREACHABLE.search(end.step.error)
    return StoppedError(
        Code.REGISTRY_UNREACHABLE if unreachable else Code.BUILD_FAILED,
        f"image {match[1]}: {unwrapped(end.step.error)}",
        where=end.at("1", "# syntax="),
        next_step="Name an image that the engine can pull, or take the line out: "
        "the engine then reads the Dockerfile itself.",
    )


def _dockerfile_failure(end: BuildEnd) -> StoppedError | None:
    if parse := _PARSE_ERROR.search(end.message):
        next_step = _HERE_DOCUMENTS if _UNKNOWN_INSTRUCTION.match(parse[2]) else None
        return StoppedError(
            Code.DOCKERFILE_INVALID, parse[2], where=end.at(parse[1]), next_step=next_step
        )
    if _NO_DOCKERFILE.search(end.message):
        fact = "the build context does not have it"
        return StoppedError(Code.DOCKERFILE_MISSING, fact, where=end.at())
    return None


def push_failure(reference: str, message: str) -> StoppedError:
    """Why a push failed."""
    if _DISK_FULL.search(message):
        return StoppedError(
            Code.DISK_FULL,
            message,
            where=reference,
            next_step="Free space on the registry's disk or the engine's, then deploy again.",
        )
    if _REFUSED.search(message):
        return StoppedError(Code.REGISTRY_REFUSED, message, where=reference)
    if _UNREACHABLE.search(message):
        return StoppedError(Code.REGISTRY_UNREACHABLE, message, where=reference)
    return StoppedError(
        Code.REGISTRY_REFUSED, message, where=reference, next_step="Correct what it names."
    )


def pushed_in_vain(reference: str, message: str, step: FailedStep | None) -> StoppedError | None:
    """Why a build that was to push could not, where that is why it failed."""
    # The engine's own builder pushes in a step of this name, and says no more than the error.
    is_push = step is not None and step.text.startswith("pushing")
    is_export = step is None or step.text.startswith("exporting")
    told = is_export and re.search(r"failed to push|pushing|failed to authorize", message)
    if not is_push and not told:
        return None
    return push_failure(reference, message)


def pull_failure(reference: str, message: str) -> StoppedError:
    """Why a pull failed."""
    if _DISK_FULL.search(message):
        return StoppedError(Code.DISK_FULL, "no space left on the engine's disk", where=reference)
    if _UNREACHABLE.search(message) and not _REFUSED.search(message):
        return StoppedError(Code.REGISTRY_UNREACHABLE, message, where=reference)
    return StoppedError(Code.REGISTRY_REFUSED, message, where=reference)


def passes(message: str) -> bool:
    """Whether trying again may help."""
    return _PASSING.search(message) is not None and not _DISK_FULL.search(message)


def unwrapped(message: str) -> str:
    """The first line, without what each part of the engine puts in front of it."""
    text = message.strip().partition("\n")[0]
    while (shorter := _WRAPPING.sub("", text)) != text:
        text = shorter
    return text
