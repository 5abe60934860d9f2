"""A login's way to git: asked for by git, answered from the environment, for one origin only."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bot.services.git.address import Address
from bot.services.logins import Login

_SCRIPT = r"""#!/bin/sh
# Git asks with the origin that wants a login. A server that redirects elsewhere gets no answer.
case "$1" in
"$PACHOPS_GIT_ASKS_USERNAME") printf '%s\n' "$PACHOPS_GIT_USERNAME" ;;
"$PACHOPS_GIT_ASKS_PASSWORD" | "$PACHOPS_GIT_ASKS_PASSWORD_QUOTED")
    printf '%s\n' "$PACHOPS_GIT_PASSWORD" ;;
*) exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Askpass:
    """The script, and what it needs to know."""

    script: Path

    @classmethod
    def write(cls, folder: Path) -> "Askpass":
        """Put the script into a folder, anew each time: it may be from another version."""
        script = folder / "askpass"
        descriptor, unfinished = tempfile.mkstemp(prefix="askpass-", dir=folder)
        with os.fdopen(descriptor, "w") as file:
            file.write(_SCRIPT)
        unfinished_path = Path(unfinished)
        unfinished_path.chmod(0o700)
        unfinished_path.replace(script)
        return cls(script)

    def environment(self, address: Address, login: Login | None) -> dict[str, str]:
        """Git's environment for this address; without a login every question goes unanswered."""
        environment = {"GIT_ASKPASS": str(self.script)}
        if login is None:
            return environment
        netloc = address.text.removeprefix(f"{address.scheme}://").partition("/")[0]
        quoted = quote(login.username, safe="")
        return environment | {
            "PACHOPS_GIT_ASKS_USERNAME": f"Username for '{address.scheme}://{netloc}': ",
            "PACHOPS_GIT_ASKS_PASSWORD": _asks_password(address.scheme, login.username, netloc),
            "PACHOPS_GIT_ASKS_PASSWORD_QUOTED": _asks_password(address.scheme, quoted, netloc),
            "PACHOPS_GIT_USERNAME": login.username,
            "PACHOPS_GIT_PASSWORD": login.password.get_secret_value(),
        }


def _asks_password(scheme: str, username: str, netloc: str) -> str:
    return f"Password for '{scheme}://{username}@{netloc}': "


def settings_with_login() -> dict[str, str]:
    """No helper of the user's may answer for our login, or store it."""
    return {"credential.helper": "", "credential.useHttpPath": "false"}
