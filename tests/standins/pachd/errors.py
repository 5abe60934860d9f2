"""How the stand-in says no."""

from typing import NoReturn

import grpc


class Refused(Exception):  # noqa: N818 - it is an answer, not a defect
    """An answer with a gRPC status other than OK.

    pachd's plain errors have no status of their own and arrive as UNKNOWN: the default.
    """

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def refuse(message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> NoReturn:
    raise Refused(message, code)


def refuse_missing(message: str) -> NoReturn:
    raise Refused(message, grpc.StatusCode.NOT_FOUND)


def refuse_invalid(message: str) -> NoReturn:
    raise Refused(message, grpc.StatusCode.INVALID_ARGUMENT)
