"""A PostgreSQL server of the tests' own, from Debian's package."""

import os
import pwd
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.real.engine import require_program
from tests.real.network import free_port

_STARTS_WITHIN = 30.0


class PostgreSQL:
    """A running server."""

    def __init__(self, address: str) -> None:
        self._address = address

    def new_database(self, encoding: str = "UTF8") -> str:
        """The URL of an empty database."""
        name = f"pachops_{uuid.uuid4().hex}"
        make = sql.SQL("create database {} encoding {} locale 'C' template template0")
        with psycopg.connect(f"{self._address}/postgres", autocommit=True) as connection:
            connection.execute(make.format(sql.Identifier(name), sql.Literal(encoding)))
        return f"{self._address}/{name}"


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """Start a server and stop it.

    Raises:
        MissingPartError: it is not installed and cannot be.
    """
    initdb, postgres = _program("initdb"), _program("postgres")
    # It refuses to run as root.
    user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pachops-pg-")))
        if user is not None:
            os.chown(folder, user, -1)
        prepare = (initdb, "-D", folder / "data", "-U", "ada", "-A", "trust", "--no-sync")
        subprocess.run(  # noqa: S603 - our own server
            prepare, user=user, cwd=folder, check=True, capture_output=True, timeout=60
        )
        port = str(free_port())
        options = ("-h", "127.0.0.1", "-p", port, "-k", str(folder), "-F", "-N", "300")
        process = subprocess.Popen(  # noqa: S603 - our own server
            (postgres, "-D", folder / "data", *options),
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(process.wait, 30)
        # A fast shutdown: it does not wait for clients.
        stack.callback(process.send_signal, 2)
        address = f"postgresql://ada@127.0.0.1:{port}"
        _wait_for(address)
        yield PostgreSQL(address)


def _program(name: str) -> str:
    return str(require_program(name, package="postgresql", folder="/usr/lib/postgresql/*/bin"))


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            psycopg.connect(f"{address}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
