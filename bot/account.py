"""Who runs this process, for reports and the audit."""

import getpass
import os
import pwd


def user() -> str:
    """The account's name; what the environment says where it has none."""
    try:
        # First: whoever sets a variable has not become somebody else.
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        name = _in_the_environment()
    return readable(name)


def readable(word: str) -> str:
    """What the system gave us as text, also where it was not UTF-8."""
    return word.encode(errors="surrogateescape").decode(errors="replace")


def _in_the_environment() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
