"""Image names: what a reference says, where an image is pushed, and under which tags."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from docker_image import digest as docker_digest
from docker_image import reference as docker_reference

from bot.domain.reasons import Code, StoppedError

HUB = "docker.io"
TAG_LENGTH = 128
"""The most characters a tag may have; the distribution specification says so."""

_SHORT_SHA = 7
_EXAMPLE = "Write registry.example.com/team/edges."
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("sha", "short_sha", "branch", "release", "date")


@dataclass(frozen=True)
class ImageReference:
    """An image's name in its parts."""

    repository: str
    """With its registry, as Docker completes it: `docker.io/library/ubuntu`."""
    tag: str | None = None
    digest: str | None = None

    @property
    def registry(self) -> str:
        """The host, with its port where it has one: `docker.io`."""
        return self.repository.partition("/")[0]

    @property
    def path(self) -> str:
        """The repository inside its registry: `library/ubuntu`."""
        return self.repository.partition("/")[2]

    @property
    def familiar(self) -> str:
        """The repository as people write it: without what Docker adds by itself."""
        short = self.path.removeprefix("library/")
        # docker.io/localhost/edges must stay as it is: localhost/edges is another registry's
        return short if same_repository(short, self.repository) else self.repository

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.familiar}{tag}{digest}"


@dataclass(frozen=True)
class TagFacts:
    """What a tag can be made of."""

    sha: str
    branch: str | None
    release: str | None
    date: str
    """The commit's day: `2026-11-23`."""


def parse_reference(text: str) -> ImageReference:
    """Read an image's name as Docker reads it.

    Raises:
        StoppedError: IMAGE_NAME_INVALID, with what is wrong.
    """
    if not text.strip():
        raise StoppedError(Code.IMAGE_NAME_INVALID, "the name is empty", next_step=_EXAMPLE)
    if any(character.isspace() for character in text):
        fact = f"{text!r} has white space in it"
        raise StoppedError(Code.IMAGE_NAME_INVALID, fact)
    if "://" in text:
        fact = f"{text!r} is a URL"
        next_step = f"Write it without {text.partition('://')[0]}://."
        raise StoppedError(Code.IMAGE_NAME_INVALID, fact, next_step=next_step)
    try:
        parsed = docker_reference.Reference.parse_normalized_named(text)
    except (docker_reference.InvalidReference, docker_digest.InvalidDigest) as error:
        raise _invalid(text, error) from None
    return ImageReference(parsed["name"], parsed["tag"], parsed["digest"])


def push_repository(text: str) -> str:
    """The repository that an image of this name is pushed to; a tag or digest is left out.

    Raises:
        StoppedError: IMAGE_NAME_INVALID where nobody can push to it.
    """
    reference = parse_reference(text)
    if reference.registry == HUB and reference.path.startswith("library/"):
        fact = (
            f"{text!r} has no namespace, so it would be Docker Hub's own image {reference.familiar}"
        )
        raise StoppedError(Code.IMAGE_NAME_INVALID, fact, next_step=_EXAMPLE)
    return reference.repository


def same_repository(a: str, b: str) -> bool:
    """Whether two names are of the same repository, whatever their tags and digests.

    Names that cannot be read (`$IMAGE`) are the same as nothing.
    """
    try:
        return parse_reference(a).repository == parse_reference(b).repository
    except StoppedError:
        return False


def render_tags(templates: Sequence[str], facts: TagFacts) -> tuple[str, ...]:
    """The tags that templates give for a commit; `{sha}` where they give none.

    A template is left out where its fact is missing, such as `{release}` on a push.

    Raises:
        StoppedError: TAG_INVALID, naming the template.
    """
    tags = (_render(template, facts) for template in templates)
    known = tuple(dict.fromkeys(tag for tag in tags if tag is not None))
    return known or (facts.sha,)


def fork_tag(sha: str) -> str:
    """The one tag of an image that was built from a fork: no trusted image ever has it."""
    return f"fork-{sha}"


def _invalid(text: str, error: Exception) -> StoppedError:
    shown = text if len(text) <= 80 else f"{text[:77]}..."
    name, at, digest = text.partition("@")
    if "$" in text:
        fact = f"{shown!r} has a variable in it, and nothing fills it in here"
        return StoppedError(Code.IMAGE_NAME_INVALID, fact, next_step="Write the name out.")
    if at and not _DIGEST.fullmatch(digest):
        fact = f"{shown!r} has a digest that is not sha256: and 64 hexadecimal digits"
        return StoppedError(Code.IMAGE_NAME_INVALID, fact)
    if name != name.lower():
        fact = f"{shown!r} has capitals where only small letters are allowed"
        next_step = f"Write {_lower_repository(text)}." if len(text) <= 80 else None
        return StoppedError(Code.IMAGE_NAME_INVALID, fact, next_step=next_step)
    fact = f"{shown!r} is not the name of an image: {error}"
    return StoppedError(Code.IMAGE_NAME_INVALID, fact)


def _lower_repository(text: str) -> str:
    slash = text.rfind("/") + 1
    name, colon, tag = text[slash:].partition(":")
    return f"{text[:slash].lower()}{name.lower()}{colon}{tag}"


def _render(template: str, facts: TagFacts) -> str | None:
    values = {
        "sha": facts.sha,
        "short_sha": facts.sha[:_SHORT_SHA],
        "branch": facts.branch,
        "release": facts.release,
        "date": facts.date,
    }
    names = _PLACEHOLDER.findall(template)
    _check_literals(template, names)
    if not all(values[name] for name in names):
        return None
    tag = _PLACEHOLDER.sub(lambda match: _tag_text(values[match[1]] or ""), template)
    if names:
        # a branch may be called -x or .x, and a tag may not: that is no fault of the template
        tag = tag.lstrip(".-")
    if not tag:
        return None
    if len(tag) > TAG_LENGTH:
        fact = f"the template {template!r} gives a tag of {len(tag)} characters: {tag}"
        raise StoppedError(Code.TAG_INVALID, fact)
    return tag


def _check_literals(template: str, names: Sequence[str]) -> None:
    allowed = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
    for name in names:
        if name not in _PLACEHOLDERS:
            fact = f"the template {template!r} has {{{name}}}, which is not known"
            raise StoppedError(Code.TAG_INVALID, fact, next_step=f"Use {allowed} or plain text.")
    # an x stands for each value: what is left to judge is what the person wrote
    literal = _PLACEHOLDER.sub("x", template)
    if not _TAG.fullmatch(literal):
        fact = f"the template {template!r} has characters that a tag cannot have"
        next_step = (
            f"Use letters, digits, `_`, `.` and `-`, not `.` or `-` first, together with {allowed}."
        )
        raise StoppedError(Code.TAG_INVALID, fact, next_step=next_step)


def _tag_text(value: str) -> str:
    return _NOT_IN_A_TAG.sub("-", value)
