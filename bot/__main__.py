"""The `pachops` command's first moments: `python -m bot`."""

import signal


def main() -> None:
    """Run the command line.

    Its modules take a second to load. A Ctrl-C in that time ends the process as it ends any
    other, without a traceback.
    """
    at_once = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bot import cli  # noqa: PLC0415 - only now is it safe to be interrupted

    signal.signal(signal.SIGINT, at_once)
    cli.main()


if __name__ == "__main__":
    main()
