"""Whether the bot that serves or works here is well: `python -m bot.healthy`, for a container's health check.

Only the standard library is imported: it runs every half minute beside the bot.
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT = 4.0
"""Seconds."""
FIRST_PROCESS = Path("/proc/1/cmdline")
"""With which words the container was started."""


def main() -> int:
    """The exit status."""
    try:
        address = f"http://127.0.0.1:{_port()}/healthz"
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            sys.stdout.write(answer.read(200).decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            sys.stdout.write(error.read(200).decode(errors="replace"))
        return 1
    except OSError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


def _port() -> str:
    # The image has the port of `serve` in any case, and settings that both read have a worker's too.
    named = ["PACHOPS_WEB_PORT"]
    if not _serves():
        named.insert(0, "PACHOPS_WEB_WORKER_PORT")
    return next(filter(None, map(os.environ.get, named)), "8080")


def _serves() -> bool:
    try:
        words = FIRST_PROCESS.read_bytes().replace(b"\0", b" ").split()
    except OSError:
        return False
    return b"serve" in words


if __name__ == "__main__":
    sys.exit(main())
