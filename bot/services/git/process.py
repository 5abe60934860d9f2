"""Running git: what it may see, what it may not do, and how it ends."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.services.processes import begin, kill_group

if TYPE_CHECKING:
    from bot.services.logins import Login

ALWAYS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "gc.autoDetach": "false",
    "maintenance.autoDetach": "false",
}
"""Settings that no repository and no user can change: nothing of theirs runs, and nothing of
ours outlives its call."""

NO_LAZY_FETCH = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""For reading a person's own repository: a partial clone would fetch what it lacks, and its config
may name any program for that. Git before 2.39.4 knows only the first; no protocol is called so."""

_OURS = {
    "core.attributesFile": os.devnull,
    "core.ignoreCase": "false",
    "core.protectHFS": "false",
    "core.protectNTFS": "false",
    "log.showSignature": "false",
    "tar.umask": "0022",
}

_KEPT = frozenset({"GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSH", "GIT_SSH_COMMAND"})
"""What an operator sets for the network; every other GIT_ variable would change what git does."""

_SSH = (
    "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"
    # A connection that is kept for others would outlive its call, and hold its output open.
    " -o ControlMaster=no -o ControlPersist=no"
)

_GUARD = """
exec 3<&0 </dev/null
{ read -r _ <&3; kill -9 0; } >/dev/null 2>&1 &
"$@" 3<&-
status=$?
kill -9 $!
exit $status
"""
"""Ends git and its children with the bot, even when the bot is killed: the far end of stdin is
then closed, and the whole process group goes. PR_SET_PDEATHSIG would need Python code between
fork and exec, which can deadlock beside threads, and does not reach git's children."""


class GitFailedError(Exception):
    """Git ended with a status other than 0."""

    def __init__(self, status: int, stderr: str) -> None:
        self.status = status
        self.stderr = stderr
        self.login: Login | None = None
        """What was sent, which must not be said when a server repeats it."""
        super().__init__(f"git ended with status {status}: {stderr[-500:]}")


def our_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For our own mirrors: no configuration of the system or of a user is read."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        **_common(),
        **_settings({**ALWAYS, **_OURS}),
        **(extra or {}),
    }


def their_environment(
    settings: Mapping[str, str] | None = None, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """For the network and for a person's own repository, which are set up in their git config.

    That is where proxies, certificates, safe.directory and ignored files are.
    """
    environ = os.environ
    inherited = {
        name: value
        for name, value in environ.items()
        if (not name.startswith(("GIT_", "SSH_ASKPASS")) or name in _KEPT) and name != "LANGUAGE"
    }
    ssh = {} if {"GIT_SSH", "GIT_SSH_COMMAND"} & environ.keys() else {"GIT_SSH_COMMAND": _SSH}
    return {
        **inherited,
        **ssh,
        **_common(),
        **_settings({**ALWAYS, **(settings or {})}),
        **(extra or {}),
    }


def _common() -> dict[str, str]:
    return {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "http:https:ssh:git:file",
        "GIT_OPTIONAL_LOCKS": "0",
        "SSH_ASKPASS_REQUIRE": "never",
    }


def _settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings that win over every file, and are in no argument."""
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


async def run_git(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdin: bytes = b""
) -> bytes:
    """Run git for a moment and give what it printed. Errors: GitFailedError."""
    return await _run(["git", *arguments], environment, stdin)


async def run_git_guarded(arguments: Sequence[str], environment: Mapping[str, str]) -> bytes:
    """Run git for longer: it ends with the bot, however the bot ends. Errors: GitFailedError."""
    with _open_pipe() as end:
        return await _run(["sh", "-c", _GUARD, "sh", "git", *arguments], environment, end)


async def _run(command: Sequence[str], environment: Mapping[str, str], stdin: bytes | int) -> bytes:
    process = await begin(
        *command,
        env=environment,
        stdin=stdin if isinstance(stdin, int) else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, complained = await process.communicate(None if isinstance(stdin, int) else stdin)
    except BaseException:
        kill_group(process.pid)
        await process.communicate()
        raise
    if process.returncode:
        raise GitFailedError(process.returncode, complained.decode(errors="replace"))
    return printed


@contextmanager
def _open_pipe() -> Iterator[int]:
    """The reading end of a pipe whose writing end only this process has."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)
