"""pachd's methods by service and name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.standins.pachd.calls import Calls
from tests.standins.pachd.sdk import Empty, Message, admin, auth, pfs, pps, transaction, version


def _never(_: Message, __: Message) -> bool:
    return False


def _until_job_ends(request: Message, answer: Message) -> bool:
    ended = {
        pps.JobState.JOB_SUCCESS,
        pps.JobState.JOB_FAILURE,
        pps.JobState.JOB_KILLED,
        pps.JobState.JOB_UNRUNNABLE,
    }
    return bool(request.wait) and answer.state not in ended


@dataclass(frozen=True)
class Method:
    """How a method is called and what does its work."""

    work: Callable[..., Any]
    request: Any
    answer: Any
    streams: bool = False
    follows: bool = False
    """Streams until its caller leaves."""
    writes: bool = False
    public: bool = False
    """Needs no token."""
    waits: Callable[[Message, Message], bool] = _never
    """Whether the answer is not yet the one that was asked for."""


METHODS = {
    "versionpb_v2.API": {
        "GetVersion": Method(Calls.get_version, Empty, version.Version, public=True),
    },
    "admin_v2.API": {
        "InspectCluster": Method(
            Calls.inspect_cluster, admin.InspectClusterRequest, admin.ClusterInfo, public=True
        ),
    },
    "auth_v2.API": {
        "WhoAmI": Method(Calls.who_am_i, auth.WhoAmIRequest, auth.WhoAmIResponse),
        "Authorize": Method(Calls.authorize, auth.AuthorizeRequest, auth.AuthorizeResponse),
    },
    "pps_v2.API": {
        "CreatePipelineV2": Method(
            Calls.create_pipeline_v2,
            pps.CreatePipelineV2Request,
            pps.CreatePipelineV2Response,
            writes=True,
        ),
        "InspectPipeline": Method(
            Calls.inspect_pipeline, pps.InspectPipelineRequest, pps.PipelineInfo
        ),
        "ListPipeline": Method(
            Calls.list_pipeline, pps.ListPipelineRequest, pps.PipelineInfo, streams=True
        ),
        "DeletePipeline": Method(
            Calls.delete_pipeline, pps.DeletePipelineRequest, Empty, writes=True
        ),
        "StartPipeline": Method(Calls.start_pipeline, pps.StartPipelineRequest, Empty, writes=True),
        "StopPipeline": Method(Calls.stop_pipeline, pps.StopPipelineRequest, Empty, writes=True),
        "InspectJob": Method(
            Calls.inspect_job, pps.InspectJobRequest, pps.JobInfo, waits=_until_job_ends
        ),
        "ListJob": Method(Calls.list_job, pps.ListJobRequest, pps.JobInfo, streams=True),
        "SubscribeJob": Method(
            Calls.open_jobs, pps.SubscribeJobRequest, pps.JobInfo, streams=True, follows=True
        ),
        "RenderTemplate": Method(
            Calls.render_template, pps.RenderTemplateRequest, pps.RenderTemplateResponse
        ),
    },
    "transaction_v2.API": {
        "StartTransaction": Method(
            Calls.start_transaction,
            transaction.StartTransactionRequest,
            transaction.Transaction,
            writes=True,
        ),
        "InspectTransaction": Method(
            Calls.inspect_transaction,
            transaction.InspectTransactionRequest,
            transaction.TransactionInfo,
        ),
        "ListTransaction": Method(
            Calls.list_transaction, transaction.ListTransactionRequest, transaction.TransactionInfos
        ),
        "DeleteTransaction": Method(
            Calls.delete_transaction, transaction.DeleteTransactionRequest, Empty, writes=True
        ),
        "FinishTransaction": Method(
            Calls.finish_transaction,
            transaction.FinishTransactionRequest,
            transaction.TransactionInfo,
            writes=True,
        ),
        "BatchTransaction": Method(
            Calls.batch_transaction,
            transaction.BatchTransactionRequest,
            transaction.TransactionInfo,
            writes=True,
        ),
    },
    "pfs_v2.API": {
        "CreateProject": Method(Calls.create_project, pfs.CreateProjectRequest, Empty, writes=True),
        "InspectProject": Method(Calls.inspect_project, pfs.InspectProjectRequest, pfs.ProjectInfo),
        "ListProject": Method(
            Calls.list_project, pfs.ListProjectRequest, pfs.ProjectInfo, streams=True
        ),
        "CreateRepo": Method(Calls.create_repo, pfs.CreateRepoRequest, Empty, writes=True),
        "InspectRepo": Method(Calls.inspect_repo, pfs.InspectRepoRequest, pfs.RepoInfo),
        "ListRepo": Method(Calls.list_repo, pfs.ListRepoRequest, pfs.RepoInfo, streams=True),
    },
}
