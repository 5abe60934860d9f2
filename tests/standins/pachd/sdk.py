"""The SDK's messages, in one place: the wheel has no types."""

from typing import Any, TypeAlias

from betterproto.lib.google.protobuf import Empty
from pachyderm_sdk.api import (
    admin,
    auth,
    pfs,
    pps,
    transaction,
    version,
)

Message: TypeAlias = Any

__all__ = ["Empty", "Message", "admin", "auth", "pfs", "pps", "transaction", "version"]
