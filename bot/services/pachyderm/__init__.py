"""Pachyderm, as far as pachops needs it: a narrow async client of pachd 2.8 or newer."""

import os

# gRPC's C library writes to the terminal past every logger, and reads this only while it loads.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from bot.services.pachyderm.client import Pachyderm
from bot.services.pachyderm.errors import AnswerLostError
from bot.services.pachyderm.values import (
    Job,
    LivePipeline,
    PipelineUpdate,
)

__all__ = ["AnswerLostError", "Job", "LivePipeline", "Pachyderm", "PipelineUpdate"]
