"""A stand-in for pachd: real gRPC, the SDK's own messages, strict where pachd is strict.

It keeps state as pachd does (versions, history, transactions, jobs, skipped datums) and runs no
container: what workers and jobs do follows from a clock.
"""

import os

# gRPC's C library writes to the terminal past every logger, and reads this only while it loads.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from tests.standins.pachd.life import Timing
from tests.standins.pachd.server import Pachd

__all__ = ["Pachd", "Timing"]
