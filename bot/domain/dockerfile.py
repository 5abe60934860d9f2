"""What a Dockerfile builds on, and the same Dockerfile on other bases."""

import csv
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dockerfile as parser

from bot.domain.image import parse_reference
from bot.domain.reasons import Code, StoppedError

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(\}|:?[-+?]))", re.ASCII)
_STAGE = re.compile(r"^\[[^\]]*\] ")
_LINES_TO_SEARCH = 2000
"""Finding a broken line takes time with the square of the lines: this many take a second."""
_SCRATCH = "scratch"
_PLATFORM = {
    f"{side}{part}": value
    for side in ("BUILD", "TARGET")
    for part, value in (("OS", "linux"), ("ARCH", "amd64"), ("PLATFORM", "linux/amd64"))
}
"""BuildKit's own arguments; the build arguments may say otherwise."""


@dataclass(frozen=True)
class BaseImage:
    """An image from outside that a Dockerfile uses."""

    reference: str
    """With its arguments filled in."""
    line: int
    stage: str | None
    """The stage that uses it, where it has a name."""


@dataclass(frozen=True)
class _Use:
    """An image as a command writes it; `prefix` is what stands before it there."""

    written: str
    base: BaseImage
    command: parser.Command
    prefix: str


@dataclass(frozen=True)
class _Directives:
    """What the comments at the top tell the parser."""

    escape: str = "\\"
    syntax: str | None = None


def base_images(text: str, build_args: Mapping[str, str]) -> tuple[BaseImage, ...]:
    """The images from outside that FROM, COPY --from and RUN --mount=from name, in their order.

    Earlier stages and `scratch` are left out, and so is a name that only the build can work out.

    Raises:
        StoppedError: DOCKERFILE_INVALID, with the line.
    """
    return tuple(use.base for use in _uses(text, build_args))


def with_bases(text: str, replace: Mapping[str, str], build_args: Mapping[str, str]) -> str:
    """The same Dockerfile with other bases: `replace` says what stands for which repository.

    Only the names themselves change, so every line keeps its number.

    Raises:
        StoppedError: DOCKERFILE_INVALID, with the line.
    """
    by_repository = {parse_reference(name).repository: new for name, new in replace.items()}
    lines = text.split("\n")
    for use in _uses(text, build_args):
        new = by_repository.get(_repository(use.base.reference) or "")
        if new is not None:
            _rewrite(lines, use, new)
    return "\n".join(lines)


def line_of(text: str, step: str) -> int | None:
    """The line at which a step of the build begins; None where that is not clear.

    Args:
        text: a Dockerfile that can be read.
        step: the instruction as the build names it, perhaps with its stage: `[runtime] RUN make`.
    """
    wanted = _STAGE.sub("", " ".join(step.split()))
    found = [
        command.start_line
        for command in commands(text)
        if " ".join(command.original.split()).lower() == wanted.lower()
    ]
    return found[0] if len(found) == 1 else None


def _uses(text: str, build_args: Mapping[str, str]) -> Iterator[_Use]:
    found = commands(text)
    stages = {stage_name(each) for each in found if each.cmd.lower() == "from"}
    arguments = {name: build_args.get(name, value) for name, value in _PLATFORM.items()}
    values: dict[str, str | None] = {**arguments}
    escape = _directives(text).escape
    earlier: set[str | None] = set()
    stage: str | None = None
    for command in found:
        name = command.cmd.lower()
        if name == "arg" and not earlier:
            _declare(command, values, build_args, escape)
        if name == "from":
            stage = stage_name(command)
            written = command.value[0]
            reference = _expand(written, values, escape)
            if reference and reference != _SCRATCH and reference.lower() not in earlier:
                base = BaseImage(reference, command.start_line, stage)
                yield _Use(written, base, command, r"(?<=\s)")
            earlier.add(stage and stage.lower())
        for written in copied_from(command):
            outside = not written.isdigit() and "$" not in written and written != _SCRATCH
            if outside and written.lower() not in {each and each.lower() for each in stages}:
                base = BaseImage(written, command.start_line, stage)
                yield _Use(written, base, command, r"(?<=from=)[\"']?")


def commands(text: str) -> tuple[parser.Command, ...]:
    """The commands, each one known to be well formed as far as this module reads it.

    Raises:
        StoppedError: DOCKERFILE_INVALID, with the line.
    """
    # the parser is Go: a text that it cannot be given ends the whole process
    if "\0" in text or not _is_unicode(text):
        raise _invalid(text, "it is not a text file", 1)
    try:
        commands: tuple[parser.Command, ...] = parser.parse_string(text)
    except parser.GoParseError as error:
        raise _invalid(text, str(error).strip(), _broken_line(text)) from None
    syntax = _directives(text).syntax
    own_syntax = syntax is not None and "docker/dockerfile" not in syntax
    for command in commands:
        if not command.cmd:
            raise _invalid(text, "an instruction is empty", command.start_line)
        if not own_syntax and command.cmd.lower() not in parser.all_cmds():
            raise _unknown(text, command)
        if command.cmd.lower() == "from" and not _is_from(command):
            fact = f"`{command.original.strip()}` is not complete or has too much"
            next_step = "Write FROM image, or FROM image AS name."
            raise _invalid(text, fact, command.start_line, next_step)
    if not any(command.cmd.lower() == "from" for command in commands):
        raise _invalid(text, "it has no FROM", 1, "Begin with FROM image.")
    return commands


def _is_from(command: parser.Command) -> bool:
    value = command.value
    return len(value) == 1 or (len(value) == 3 and value[1].lower() == "as")


def stage_name(command: parser.Command) -> str | None:
    """The name that a FROM gives its stage."""
    return command.value[2] if len(command.value) == 3 else None


def _declare(
    command: parser.Command,
    values: dict[str, str | None],
    build_args: Mapping[str, str],
    escape: str,
) -> None:
    for declared in command.value:
        name, equals, default = declared.partition("=")
        if name in build_args:
            values[name] = build_args[name]
        elif equals:
            values[name] = _expand(default, values, escape)


def copied_from(command: parser.Command) -> Iterator[str]:
    """The stages and images that a command takes files from."""
    if command.cmd.lower() == "copy":
        yield from (flag[7:] for flag in command.flags if flag.lower().startswith("--from="))
    yield from (mount["from"] for mount in mounts(command) if mount.get("from"))


def mounts(command: parser.Command) -> Iterator[Mapping[str, str]]:
    """The fields of each --mount of a RUN, by their names in lower case."""
    if command.cmd.lower() != "run":
        return
    for flag in command.flags:
        if flag.startswith("--mount="):
            fields = next(csv.reader([flag.removeprefix("--mount=")]), [])
            parts = (field.partition("=") for field in fields)
            yield {key.strip().lower(): value for key, _, value in parts}


def _repository(reference: str) -> str | None:
    try:
        return parse_reference(reference).repository
    except StoppedError:
        return None


def _rewrite(lines: list[str], use: _Use, new: str) -> None:
    pattern = re.compile(f"({use.prefix}){re.escape(use.written)}(?=[\\s,\"'`\\\\]|$)")
    first = use.command.start_line - 1
    for number in range(first, use.command.end_line):
        line = lines[number]
        if line.lstrip().startswith("#"):
            continue
        lines[number], changed = pattern.subn(lambda match: match[1] + new, line, count=1)
        if changed:
            return
    fact = f"the name of the image {use.base.reference} goes over more than one line"
    raise _invalid("\n".join(lines), fact, first + 1, "Write the name on one line.")


def _expand(text: str, values: Mapping[str, str | None], escape: str) -> str | None:
    """Fill in variables and take quotes off; None where only BuildKit can."""
    result = ""
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        if character == escape and quote != "'":
            result += text[at + 1 : at + 2]
            at += 2
        elif character in "'\"" and quote in ("", character):
            quote = "" if quote else character
            at += 1
        elif character == "$" and quote != "'":
            value, at = _variable(text, at, values, escape)
            if value is None:
                return None
            result += value
        else:
            result += character
            at += 1
    return result


def _variable(
    text: str, at: int, values: Mapping[str, str | None], escape: str
) -> tuple[str | None, int]:
    """The value of the variable that begins at `at`, and where it ends."""
    match = _VARIABLE.match(text, at)
    if match is None:
        return None, len(text)
    name = match[1] or match[2]
    value = values.get(name, "")
    if match[1] or match[3] == "}":
        return value, match.end()
    end = _closing_brace(text, match.end(), escape)
    word = _expand(text[match.end() : end], values, escape)
    is_set = bool(value) if match[3].startswith(":") else name in values
    if match[3].endswith("+"):
        return (word if is_set else ""), end + 1
    if match[3].endswith("-"):
        return (value if is_set else word), end + 1
    return (value if is_set else None), end + 1


def _closing_brace(text: str, at: int, escape: str) -> int:
    depth = 1
    while at < len(text):
        if text[at] == escape:
            at += 1
        elif text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return at


def _directives(text: str) -> _Directives:
    found: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").split("\n"):
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        found.setdefault(match[1].lower(), match[2])
    return _Directives(found.get("escape", "\\"), found.get("syntax"))


def _broken_line(text: str) -> int:
    """Where the command begins that the parser, which does not say, could not read."""
    lines = text.split("\n")
    if len(lines) > _LINES_TO_SEARCH:
        return 1
    for count in range(len(lines) - 1, 0, -1):
        try:
            parser.parse_string("\n".join(lines[:count]))
        except parser.GoParseError:
            continue
        rest = enumerate(lines[count:], start=count + 1)
        return next((n for n, line in rest if line.strip() and not line.startswith("#")), count + 1)
    return 1


def _unknown(text: str, command: parser.Command) -> StoppedError:
    near = difflib.get_close_matches(command.cmd.lower(), parser.all_cmds(), n=1)
    next_step = f"Write {near[0].upper()}." if near else None
    return _invalid(text, f"{command.cmd} is not an instruction", command.start_line, next_step)


def _invalid(text: str, fact: str, line: int, next_step: str | None = None) -> StoppedError:
    where = f"line {min(line, text.count(chr(10)) + 1)}"
    return StoppedError(Code.DOCKERFILE_INVALID, fact, where=where, next_step=next_step)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
