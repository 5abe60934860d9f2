"""Whether the bot that serves or works here is well: `python -m bot.healthy`, for a container's health check.

Only the standard library is imported: it runs every half minute beside the bot.
"""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT = 4.0
"""Seconds."""


def main() -> int:
    """The exit status."""
    # The image has the port of `serve` in any case; that of a worker is set for one alone.
    named = map(os.environ.get, ("PACHOPS_WEB_WORKER_PORT", "PACHOPS_WEB_PORT"))
    port = next(filter(None, named), "8080")
    try:
        address = f"http://127.0.0.1:{port}/healthz"
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


if __name__ == "__main__":
    sys.exit(main())
