"""The Docker Engine: images are built, tested and pushed here. The only importer of docker's SDK."""

from bot.services.docker.builder import look_at_builder
from bot.services.docker.buildx import Buildx
from bot.services.docker.dockerignore import excluded
from bot.services.docker.engine import DockerEngine
from bot.services.docker.logins import docker_logins, logged_in_hosts
from bot.services.docker.orders import BuildOrder, LocalImage, TestOrder, TestRun
from bot.services.docker.pool import EnginePool

__all__ = [
    "BuildOrder",
    "Buildx",
    "DockerEngine",
    "EnginePool",
    "LocalImage",
    "TestOrder",
    "TestRun",
    "docker_logins",
    "excluded",
    "logged_in_hosts",
    "look_at_builder",
]
