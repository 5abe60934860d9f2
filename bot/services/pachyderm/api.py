"""The calls of pachd that pachops makes, with the SDK's messages; nothing else imports the SDK.

The SDK's own client blocks and takes no time-out, so its messages go through grpc.aio.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from betterproto import Message
from betterproto.lib.google.protobuf import Empty
from pachyderm_sdk.api import (
    auth,
    pfs,
    pps,
    transaction,
    version,
)

__all__ = ["Call", "Empty", "Message", "Untyped", "auth", "pfs", "pps", "transaction"]

Untyped: TypeAlias = Any
"""A message or enum of the SDK, which has no types."""


@dataclass(frozen=True)
class Call:
    """A method of pachd and the type of its answer."""

    service: str
    name: str
    answer: type[Message]

    @property
    def path(self) -> str:
        """The method as HTTP/2 names it."""
        return f"/{self.service}/{self.name}"


GET_VERSION = Call("versionpb_v2.API", "GetVersion", version.Version)
WHO_AM_I = Call("auth_v2.API", "WhoAmI", auth.WhoAmIResponse)
AUTHORIZE = Call("auth_v2.API", "Authorize", auth.AuthorizeResponse)
CREATE_PIPELINE = Call("pps_v2.API", "CreatePipelineV2", pps.CreatePipelineV2Response)
INSPECT_PIPELINE = Call("pps_v2.API", "InspectPipeline", pps.PipelineInfo)
DELETE_PIPELINE = Call("pps_v2.API", "DeletePipeline", Empty)
RENDER_TEMPLATE = Call("pps_v2.API", "RenderTemplate", pps.RenderTemplateResponse)
LIST_JOB = Call("pps_v2.API", "ListJob", pps.JobInfo)
START_TRANSACTION = Call("transaction_v2.API", "StartTransaction", transaction.Transaction)
FINISH_TRANSACTION = Call("transaction_v2.API", "FinishTransaction", transaction.TransactionInfo)
DELETE_TRANSACTION = Call("transaction_v2.API", "DeleteTransaction", Empty)
