"""What a fork's Dockerfile may not ask for: whatever would reach beyond its own build context."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import dockerfile as parser

from bot.domain.dockerfile import BaseImage, commands, copied_from, mounts, stage_name
from bot.domain.image import parse_reference
from bot.domain.reasons import Code, StoppedError

_SYNTAX = re.compile(r"\s*(?:#|//)\s*syntax\s*=\s*(.*?)\s*", re.IGNORECASE)
_OWN_SYNTAX = re.compile(r"(?:docker\.io/)?docker/dockerfile:1")
_PLAIN_PATH = re.compile(r"[^\s$\"'\\`:@]+")
_MOUNTS = frozenset({"bind", "cache", "tmpfs"})
_RUN_FLAGS = frozenset({"--network=none", "--security=sandbox"})
_OFFICIAL = "docker.io/library/"
_IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]+")
"""An engine may take such a name for an image that it has, whoever built it."""
_MARK = 'LABEL io.pachops.trust="untrusted"'


@dataclass(frozen=True)
class _Problem:
    line: int
    fact: str
    next_step: str | None = None


def check_dockerfile(
    text: str, bases: Collection[BaseImage], *, allowed: Collection[str], place: str
) -> None:
    """Refuse a Dockerfile that asks for more than a fork may have.

    The engine fetches ADD's URLs, images and frontends over a network of its own, which no
    `network none` stops; ONBUILD does so later, in another's build.

    Args:
        text: the Dockerfile.
        bases: the images from outside that it uses.
        allowed: repositories whose images it may use, beside Docker's official ones.
        place: the file, for whoever reads the refusal.

    Raises:
        StoppedError: FORK_NEEDS_RIGHTS, with the line; those of `commands`.
    """
    found = commands(text)
    problems = [
        *_syntax(text),
        *(each for command in found for each in _asked(command)),
        *_unclear(found, {base.line for base in bases}),
        *_ambiguous(text, found),
        *(each for base in bases for each in _base(base, allowed)),
    ]
    if problems:
        first = min(problems, key=lambda problem: problem.line)
        raise StoppedError(
            Code.FORK_NEEDS_RIGHTS,
            first.fact,
            where=f"{place}:{first.line}",
            next_step=first.next_step,
        )


def marked(text: str) -> str:
    """The same Dockerfile with a label in each stage, so that no layer is like a trusted build's.

    The builder that engines had before BuildKit finds layers again by their commands alone,
    whatever network they had.
    """
    lines = text.split("\n")
    ends = [command.end_line for command in commands(text) if command.cmd.lower() == "from"]
    for end in reversed(ends):
        lines.insert(end, _MARK)
    return "\n".join(lines)


def _syntax(text: str) -> Iterator[_Problem]:
    """A frontend is a program that reads the Dockerfile; anywhere in the file counts as asking.

    Lines are BuildKit's: it takes the other ends of lines for spaces.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        match = _SYNTAX.fullmatch(line)
        if match and not _OWN_SYNTAX.fullmatch(match[1]):
            yield _Problem(
                number,
                f"`{line.strip()[:200]}` has the Dockerfile read by another program",
                "Take the line out, or write `# syntax=docker/dockerfile:1`.",
            )


def _asked(command: parser.Command) -> Iterator[_Problem]:
    name = command.cmd.lower()
    if name == "onbuild":
        yield _Problem(
            command.start_line, "ONBUILD acts in another image's build", "Write it there."
        )
    elif name == "add":
        yield from _added(command)
    elif name == "run":
        yield from _run_with(command)


def _unclear(found: Collection[parser.Command], known: Collection[int]) -> Iterator[_Problem]:
    """Names that are neither an earlier stage's nor, before the build, an image's."""
    earlier = {"scratch"}
    for command in found:
        is_from = command.cmd.lower() == "from"
        names = [command.value[0]] if is_from else [*copied_from(command)]
        for name in names:
            is_clear = name.lower() in earlier or name.isdigit() or command.start_line in known
            if ("$" in name and not is_from) or not is_clear:
                fact = f"`{command.original.strip()[:200]}`: which image {name} is, is not clear"
                yield _Problem(command.start_line, fact, "Write the image's name out.")
        if is_from and (stage := stage_name(command)):
            earlier.add(stage.lower())


def _ambiguous(text: str, found: Collection[parser.Command]) -> Iterator[_Problem]:
    """An engine that knows no heredocs would take their lines for instructions, unseen by us."""
    first = next((command for command in found if command.heredocs), None)
    if first is None:
        return
    try:
        commands(text.replace("<<", "__"))
    except StoppedError:
        return  # such an engine could not read it either
    fact = "the lines of a heredoc can be read as instructions"
    yield _Problem(first.start_line, fact, "Commit them as a file, and use COPY.")


def _added(command: parser.Command) -> Iterator[_Problem]:
    for source in command.value[:-1]:
        if not source.startswith("<<") and not _PLAIN_PATH.fullmatch(source):
            fact = f"ADD takes `{source[:200]}`, which may be fetched over the network"
            yield _Problem(command.start_line, fact, "Commit the file, and use COPY.")


def _run_with(command: parser.Command) -> Iterator[_Problem]:
    line = command.start_line
    for flag in command.flags:
        if not flag.startswith("--mount=") and flag not in _RUN_FLAGS:
            yield _Problem(line, f"RUN asks for `{flag[:200]}`", "Take it out.")
    for mount in mounts(command):
        kind = mount.get("type", "bind")
        if kind not in _MOUNTS:
            yield _Problem(line, f"RUN asks for a mount of type {kind[:50]}", "Take it out.")
        if "$" in mount.get("id", ""):
            yield _Problem(line, "the id of a mount has a variable", "Write it out.")


def _base(base: BaseImage, allowed: Collection[str]) -> Iterator[_Problem]:
    try:
        repository = parse_reference(base.reference).repository
    except StoppedError as error:
        yield _Problem(base.line, error.reason.fact)
        return
    is_official = repository.startswith(_OFFICIAL) and not _IMAGE_ID.fullmatch(base.reference)
    if repository not in allowed and not is_official:
        yield _Problem(
            base.line,
            f"no Dockerfile of the default branch uses {repository}, and it is none of Docker's "
            "official images",
            "Use an image that the default branch uses, or have this one merged there first.",
        )
