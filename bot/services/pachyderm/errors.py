"""gRPC errors -> reasons that a person can act on."""

import grpc

from bot.domain.reasons import Code, StoppedError

LONGEST_FACT = 600
"""Characters. pachd quotes whole specs in its errors; the cause stands at the end."""

LOGIN_STEP = (
    "Set the cluster's token in the settings (PACHOPS_PACHD_TOKEN) to one from "
    "`pachctl auth get-robot-token`."
)
ROLE_STEP = (
    "Give the token's user the role projectOwner on the project "
    "(`pachctl auth set project PROJECT projectOwner robot:NAME`)."
)


class AnswerLostError(StoppedError):
    """The update was asked for and its answer never came: it may or may not have happened."""

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(
            Code.PACHD_UNREACHABLE,
            f"the connection to {address} was lost while it finished the update, "
            f"which may have happened or not: {cause}",
            next_step="Compare the pipelines' versions, then deploy again.",
        )


def is_silence(error: grpc.RpcError) -> bool:
    """Whether pachd gave no answer, so that it is not known what it did."""
    return error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def is_missing(error: grpc.RpcError) -> bool:
    """Whether pachd says that the thing asked about is not there."""
    return bool(error.code() == grpc.StatusCode.NOT_FOUND)


def is_unbound(error: grpc.RpcError) -> bool:
    """Whether nobody has a role on the thing asked about: there is none, for makers get one.

    pachd gives this error no code of its own (ErrNoRoleBinding in its src/auth/errors.go).
    """
    return "no role binding exists for" in cause_of(error)


def cause_of(error: grpc.RpcError) -> str:
    """What the other side said, on one line and not too long."""
    text = " ".join((error.details() or error.code().name).split())
    if len(text) <= LONGEST_FACT:
        return text
    return f"{text[: LONGEST_FACT // 3]} … {text[-(LONGEST_FACT * 2 // 3) :]}"


def stopped_by(
    error: grpc.RpcError, address: str, *, method: str, has_token: bool, where: str | None
) -> StoppedError:
    """The reason in a gRPC error."""
    cause = cause_of(error)
    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return StoppedError(
                Code.PACHD_UNREACHABLE,
                f"{address}: {cause}",
                where=where,
                next_step=_connection_step(cause),
            )
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            fact = f"{address} did not answer {method} in time"
            return StoppedError(Code.PACHD_UNREACHABLE, fact, where=where)
        case grpc.StatusCode.UNAUTHENTICATED:
            fact = "the token is not valid or has expired" if has_token else "a token is needed"
            return StoppedError(
                Code.PACHD_REFUSED, f"{address}: {fact}", where=where, next_step=LOGIN_STEP
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return StoppedError(
                Code.PACHD_TOO_OLD, f"{address} does not know {method}: {cause}", where=where
            )
    if error.code() == grpc.StatusCode.PERMISSION_DENIED or "not authorized to" in cause:
        return StoppedError(Code.PACHD_REFUSED, cause, where=where, next_step=ROLE_STEP)
    return StoppedError(Code.PACHD_REFUSED, cause, where=where)


def _connection_step(cause: str) -> str | None:
    if "SSL" in cause or "handshake" in cause or "CERTIFICATE" in cause:
        return (
            "Check that the address begins with grpcs:// only where pachd has TLS, "
            "and that its certificate is signed by the root certificates in the settings."
        )
    return None
