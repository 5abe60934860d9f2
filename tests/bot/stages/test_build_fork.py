"""A fork's build on a real engine: what it does not meet, and what it does not leave behind."""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import docker
import pytest
from pydantic import SecretStr

from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.plan import ImagePlan, Plan, fork_key
from bot.domain.reasons import StoppedError
from bot.domain.trust import Trust
from bot.services.docker import BuildOrder, DockerEngine
from bot.services.git import Git
from bot.services.logins import Login
from bot.services.registry import Registry as Registries
from bot.stages.build import TRUST_LABEL, Workshop, build
from tests.bot.services.docker.parts import Events, context
from tests.real.git_server import Content, Repository
from tests.real.registry import Registry

pytestmark = pytest.mark.real


def random() -> str:
    """A step that no build before had, and that makes something else each time it runs."""
    return f"RUN : {uuid.uuid4()}; cat /proc/sys/kernel/random/uuid | tee /id"


class Builds:
    """Builds of one repository, as trusted or as a fork's, on one engine."""

    def __init__(self, folder: Path, engine: DockerEngine, name: str) -> None:
        self.engine = engine
        self.events = Events()
        self._folder = folder
        self._repository = Repository(folder / "work.git")
        self._image = name

    async def build(
        self, files: Mapping[str, Content], trust: Trust, secrets: tuple[str, ...] = ()
    ) -> str:
        """Build the Dockerfile of a commit with these files; the reference on the engine."""
        sha = self._repository.commit(files)
        address = f"file://{self._repository.path}"
        mirror = await Git(self._folder / "mirrors", timeout=30).mirror(address, sha)
        tree = await mirror.tree(sha, "")
        content = uuid.uuid5(uuid.NAMESPACE_OID, tree).hex + uuid.uuid4().hex
        image = ImagePlan(
            name="edges",
            repository=self._image,
            tags=(sha,),
            tree=tree,
            dockerfile="Dockerfile",
            content=fork_key(content) if trust is Trust.UNTRUSTED else content,
            secrets=secrets,
        )
        actor = Actor("ada", "test")
        request = Request(
            Kind.DEPLOY, address, "x", Commit(sha, sha), Trigger.COMMENT, actor, trust=trust
        )
        values = {"npm": SecretStr("a secret of the settings")}
        workshop = Workshop(
            self.engine,
            mirror,
            Registries(lambda _host: None),
            values,
            parallel=1,
            least_free=0,
            data_dir=self._folder,
        )
        await build(Plan((image,), ()), request, workshop, self.events)
        return image.built_as

    @property
    def printed(self) -> list[str]:
        """What the steps printed that ran."""
        return self.events.lines


@pytest.fixture
async def builds(tmp_path: Path, any_engine: DockerEngine, repository: str) -> Builds:
    return Builds(tmp_path, any_engine, repository)


@pytest.fixture
def files(busybox_image: str) -> Callable[..., dict[str, Content]]:
    def made(*lines: str) -> dict[str, Content]:
        return {"Dockerfile": "\n".join([f"FROM {busybox_image}", *lines, ""])}

    return made


Files = Callable[..., dict[str, Content]]


async def test_it_has_no_network(builds: Builds, files: Files) -> None:
    await builds.build(files("RUN echo has: $(ls /sys/class/net)"), Trust.UNTRUSTED)
    assert [line for line in builds.printed if line.startswith("has:")] == ["has: lo"]


async def test_a_trusted_build_has_one(builds: Builds, files: Files) -> None:
    await builds.build(files("RUN echo has: $(ls /sys/class/net)"), Trust.TRUSTED)
    assert "has: lo" not in builds.printed


async def test_neither_kind_uses_a_step_of_the_other(builds: Builds, files: Files) -> None:
    step = random()
    for trust in [Trust.TRUSTED, Trust.UNTRUSTED, Trust.TRUSTED, Trust.UNTRUSTED]:
        await builds.build(files(step), trust)
    ids = [line for line in builds.printed if len(line) == 36]
    # The second trusted build finds the step of the first; a fork's always runs.
    assert len(ids) == len(set(ids)) == 3


async def test_a_trusted_build_after_a_forks_runs_its_steps(builds: Builds, files: Files) -> None:
    step = random()
    await builds.build(files(step), Trust.UNTRUSTED)
    await builds.build(files(step), Trust.TRUSTED)
    assert len([line for line in builds.printed if len(line) == 36]) == 2


async def test_each_stage_is_kept_apart(builds: Builds, files: Files, busybox_image: str) -> None:
    lines = (random(), f"FROM {busybox_image}", "COPY --from=0 /id /other", random())
    await builds.build(files(*lines), Trust.UNTRUSTED)
    await builds.build(files(*lines), Trust.TRUSTED)
    assert len([line for line in builds.printed if len(line) == 36]) == 4


async def test_it_does_not_learn_the_proxys_login(
    builds: Builds, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = {"default": {"httpProxy": "http://bot:hunter2@proxy.acme.io:3128"}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    step = f"RUN : {uuid.uuid4()}; echo by: $HTTP_PROXY $http_proxy"
    await builds.build(files(step), Trust.UNTRUSTED)
    assert [line for line in builds.printed if line.startswith("by:")] == ["by:"]


async def test_its_image_says_what_it_is(
    builds: Builds, files: Files, any_engine: DockerEngine
) -> None:
    reference = await builds.build(files("RUN true"), Trust.UNTRUSTED)
    found = await any_engine.find(reference)
    assert found
    assert found.labels[TRUST_LABEL] == "untrusted"


class TestBuildKit:
    @pytest.fixture
    async def builds(self, tmp_path: Path, engine: DockerEngine, repository: str) -> Builds:
        return Builds(tmp_path, engine, repository)

    async def test_neither_kind_sees_a_cache_mount_of_the_other(
        self, builds: Builds, files: Files
    ) -> None:
        mount = f"RUN --mount=type=cache,id={uuid.uuid4().hex},target=/c"
        await builds.build(files(f"{mount} echo ours >>/c/a; echo 1"), Trust.TRUSTED)
        await builds.build(
            files(f"{mount} echo found: $(cat /c/a); echo fork >>/c/a"), Trust.UNTRUSTED
        )
        await builds.build(files(f"{mount} echo then: $(cat /c/a)"), Trust.TRUSTED)
        found = [line for line in builds.printed if line.startswith(("found:", "then:"))]
        assert found == ["found:", "then: ours"]

    async def test_no_secret_is_given_even_where_one_is_declared(
        self, builds: Builds, files: Files
    ) -> None:
        mount = "RUN --mount=type=secret,id=npm"
        await builds.build(
            files(f"{mount} echo got: $(cat /run/secrets/npm 2>/dev/null)"),
            Trust.UNTRUSTED,
            ("npm",),
        )
        assert [line for line in builds.printed if line.startswith("got:")] == ["got:"]


class TestLogins:
    """The bot may pull from the private registry; a fork's build may not."""

    @pytest.fixture(params=["buildkit", "legacy"])
    async def engine(
        self,
        engine_host: str,
        private_login: Callable[[str], Login | None],
        request: pytest.FixtureRequest,
    ) -> AsyncIterator[DockerEngine]:
        engine = await DockerEngine.connect(
            engine_host, find_login=private_login, buildkit=request.param == "buildkit"
        )
        yield engine
        await engine.close()

    @pytest.fixture
    async def private_base(
        self, engine: DockerEngine, private_registry: Registry, busybox_image: str, engine_host: str
    ) -> str:
        """A base image that only the private registry has."""
        name = f"{private_registry.address}/base-{uuid.uuid4().hex[:8]}"
        await engine.tag(busybox_image, name, "1")
        await engine.push("base", name, "1", Events())
        with contextlib.closing(docker.APIClient(base_url=engine_host, version="auto")) as client:
            client.remove_image(f"{name}:1")
        return f"{name}:1"

    async def test_a_private_base_is_refused_with_what_to_do(
        self, engine: DockerEngine, private_base: str, repository: str, events: Events
    ) -> None:
        order = BuildOrder(
            "edges",
            (f"{repository}:1",),
            "Dockerfile",
            bases=(private_base,),
            no_network=True,
            no_logins=True,
            no_cache=True,
        )
        dockerfile = context({"Dockerfile": f"FROM {private_base}\nRUN true\n"})
        with pytest.raises(StoppedError) as stopped:
            await engine.build(order, dockerfile, events)
        assert "no registry login" in stopped.value.reason.next_step

    async def test_a_trusted_build_pulls_it(
        self, engine: DockerEngine, private_base: str, repository: str, events: Events
    ) -> None:
        order = BuildOrder("edges", (f"{repository}:1",), "Dockerfile", bases=(private_base,))
        dockerfile = context({"Dockerfile": f"FROM {private_base}\nRUN true\n"})
        assert await engine.build(order, dockerfile, events)
