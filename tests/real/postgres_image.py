"""The PostgreSQL of compose.yaml, in an engine that may not be able to pull it.

Where it cannot be pulled, a stand-in of the same name is made on that of Python, from Debian's
packages: an older PostgreSQL, with as much of the original's start as compose.yaml uses.
"""

import contextlib
import io
import tarfile
from collections.abc import Iterator

import docker

from tests.real.engine import MissingPartError
from tests.real.python_image import PYTHON_IMAGE, is_there, pull

POSTGRES_IMAGE = "postgres:17"
_DOCKERFILE = f"""
FROM {PYTHON_IMAGE}
RUN apt-get update \\
    && apt-get install --yes --no-install-recommends postgresql \\
    && rm -rf /var/lib/postgresql /var/lib/apt/lists/* \\
    && install --directory --owner=postgres /var/lib/postgresql/data /run/postgresql
COPY start /start
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
ENTRYPOINT ["/start"]
"""
_START = """#!/bin/sh
set -eu
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    install --mode=644 "$POSTGRES_PASSWORD_FILE" /tmp/password
    chown postgres "$PGDATA"
    as_postgres initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --encoding=UTF8 >&2
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    sed -i 's/^local.*/local all all trust/' "$PGDATA/pg_hba.conf"
    as_postgres pg_ctl --wait start --options="-c listen_addresses=" >&2
    as_postgres createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    as_postgres pg_ctl --wait stop >&2
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups -- \\
    postgres -c "listen_addresses=*"
"""


@contextlib.contextmanager
def postgres_image(host: str) -> Iterator[None]:
    """POSTGRES_IMAGE is in the engine meanwhile, as is PYTHON_IMAGE already.

    Raises MissingPartError.
    """
    client = docker.APIClient(base_url=host, version="auto", timeout=600)
    with contextlib.closing(client):
        if is_there(client, POSTGRES_IMAGE) or pull(host, POSTGRES_IMAGE):
            yield
            return
        _build(client)
        try:
            yield
        finally:
            # Nobody should take it for the original later.
            client.remove_image(POSTGRES_IMAGE, force=True)


def _build(client: docker.APIClient) -> None:
    said = [
        message
        for message in client.build(
            fileobj=_context(), custom_context=True, tag=POSTGRES_IMAGE, rm=True, decode=True
        )
        if "error" in message
    ]
    if said:
        msg = f"The stand-in for {POSTGRES_IMAGE} could not be made: {said[-1]['error']}"
        raise MissingPartError(msg)


def _context() -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in {"Dockerfile": _DOCKERFILE, "start": _START}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755
            tar.addfile(member, io.BytesIO(text.encode()))
    buffer.seek(0)
    return buffer
