"""The messages of BuildKit that are used, as its .proto files define them.

Sources: moby/buildkit api/services/control/control.proto, session/auth/auth.proto and
session/secrets/secrets.proto; grpc health.proto. Fields that are not used are left out.
"""

# ruff: noqa: RUF009 - this is how betterproto declares fields

from dataclasses import dataclass

import betterproto


@dataclass(eq=False, repr=False)
class Timestamp(betterproto.Message):
    """A moment; false where it is not set."""

    seconds: int = betterproto.int64_field(1)
    nanos: int = betterproto.int32_field(2)

    def since(self, earlier: "Timestamp") -> float:
        """Seconds between the two."""
        return self.seconds - earlier.seconds + (self.nanos - earlier.nanos) / 1e9


@dataclass(eq=False, repr=False)
class Vertex(betterproto.Message):
    """A node of the build: a step of the Dockerfile, or what BuildKit does around them."""

    digest: str = betterproto.string_field(1)
    name: str = betterproto.string_field(3)
    cached: bool = betterproto.bool_field(4)
    started: Timestamp = betterproto.message_field(5)
    completed: Timestamp = betterproto.message_field(6)
    error: str = betterproto.string_field(7)


@dataclass(eq=False, repr=False)
class VertexLog(betterproto.Message):
    """A piece of a vertex's output, cut anywhere."""

    vertex: str = betterproto.string_field(1)
    stream: int = betterproto.int64_field(3)
    msg: bytes = betterproto.bytes_field(4)


@dataclass(eq=False, repr=False)
class VertexWarning(betterproto.Message):
    """A warning of the Dockerfile's frontend."""

    vertex: str = betterproto.string_field(1)
    short: bytes = betterproto.bytes_field(3)


@dataclass(eq=False, repr=False)
class StatusResponse(betterproto.Message):
    """What changed since the last one."""

    vertexes: list[Vertex] = betterproto.message_field(1)
    logs: list[VertexLog] = betterproto.message_field(3)
    warnings: list[VertexWarning] = betterproto.message_field(4)


@dataclass(eq=False, repr=False)
class HealthCheckResponse(betterproto.Message):
    """Status 1 is SERVING."""

    status: int = betterproto.int32_field(1)


@dataclass(eq=False, repr=False)
class CredentialsRequest(betterproto.Message):
    """Asks for the login of a registry."""

    host: str = betterproto.string_field(1)


@dataclass(eq=False, repr=False)
class CredentialsResponse(betterproto.Message):
    """No user name with a secret means that the secret is an identity token."""

    username: str = betterproto.string_field(1)
    secret: str = betterproto.string_field(2)


@dataclass(eq=False, repr=False)
class GetSecretRequest(betterproto.Message):
    """Asks for a secret of `RUN --mount=type=secret,id=...`."""

    id: str = betterproto.string_field(1)


@dataclass(eq=False, repr=False)
class GetSecretResponse(betterproto.Message):
    """The secret's bytes."""

    data: bytes = betterproto.bytes_field(1)
