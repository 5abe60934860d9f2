"""What Pachyderm 1.x had in a spec and Pachyderm 2 has not, and what to write instead."""

import re
from types import MappingProxyType

_ALWAYS_STATISTICS = "Take it out: Pachyderm 2 always keeps statistics."
_WORKERS = "Write `constant` with a number of workers."

_INSTEAD = MappingProxyType(
    {
        ("CreatePipelineRequest", "inputs"): (
            "Write `input` with one `pfs`, or with several of them under `cross` or `union`."
        ),
        ("CreatePipelineRequest", "standby"): "Write `autoscaling: true`.",
        ("CreatePipelineRequest", "scale_down_threshold"): "Write `autoscaling: true`.",
        ("CreatePipelineRequest", "enable_stats"): _ALWAYS_STATISTICS,
        ("CreatePipelineRequest", "cache_size"): (
            "Take it out: Pachyderm 2 has no cache to set here. "
            "What workers need goes in `resource_requests: memory`."
        ),
        ("CreatePipelineRequest", "max_queue_size"): (
            "Take it out; `datum_set_spec` says how many datums a worker gets at a time."
        ),
        ("CreatePipelineRequest", "chunk_spec"): (
            "Write `datum_set_spec`, with `number` or `size_bytes` as before."
        ),
        ("CreatePipelineRequest", "hashtree_spec"): "Take it out: Pachyderm 2 has no hashtrees.",
        ("CreatePipelineRequest", "incremental"): (
            "Take it out: Pachyderm 2 processes only new datums by itself."
        ),
        ("CreatePipelineRequest", "batch"): "Write `transform: datum_batching: true`.",
        ("Input", "atom"): "Write `pfs`, with `repo` and `glob` as before.",
        ("Input", "git"): (
            "Write `pfs` and let a CI job put the files into that repo, "
            "or write `cron` and clone in the code: Pachyderm 2 has no git input."
        ),
        ("ParallelismSpec", "coefficient"): _WORKERS,
        ("ParallelismSpec", "strategy"): f"Take it out. {_WORKERS}",
        ("Service", "annotations"): "Write `metadata: annotations` at the top of the spec.",
        ("Spout", "overwrite"): "Take it out: in Pachyderm 2 the spout's code writes its commits.",
        ("Spout", "marker"): "Take it out: in Pachyderm 2 the spout's code keeps its own place.",
        ("Transform", "build"): "Take it out: the image is built from the Dockerfile.",
    }
)


def instead_of(message: str, key: str) -> str | None:
    """What to write instead of a field of Pachyderm 1.x, in either spelling; None if it is none."""
    snake = re.sub(r"(?<=.)[A-Z]", lambda match: f"_{match[0]}", key).lower()
    return _INSTEAD.get((message, snake))
