import asyncio
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import docker
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, DockerEngine, TestOrder
from tests.bot.services.docker.conftest import nobody
from tests.bot.services.docker.parts import (
    Events,
    Proxy,
    address_of,
    code_of,
    context,
    eventually,
    id_of,
    reason_of,
)


async def test_no_engine_at_the_socket_is_said(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/none.sock"
    stopped = await reason_of(DockerEngine.connect(host, find_login=nobody))
    assert stopped.reason.code is Code.ENGINE_UNREACHABLE
    assert stopped.reason.fact == "No such file or directory"
    assert stopped.reason.where == host


async def test_no_engine_at_the_port_is_said() -> None:
    connecting = DockerEngine.connect("tcp://127.0.0.1:1", find_login=nobody)
    stopped = await reason_of(connecting)
    assert stopped.reason.fact == "Connection refused"


@pytest.mark.parametrize("host", ["ssh://somewhere", "tcp://somewhere", "http//x:y"])
async def test_an_address_of_another_kind_is_refused(host: str) -> None:
    assert await code_of(DockerEngine.connect(host, find_login=nobody)) is Code.BAD_SETTINGS


async def test_certificates_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    stopped = await reason_of(DockerEngine.connect("tcp://127.0.0.1:1", find_login=nobody))
    assert (stopped.reason.code, stopped.reason.where) == (Code.BAD_SETTINGS, "DOCKER_CERT_PATH")


@pytest.mark.parametrize(
    "text", ['{"auths": {"r.example.com": {"auth": "!"}}}', "[]", '{"HttpHeaders": 5}', "{broken"]
)
async def test_a_config_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(text)
    stopped = await reason_of(DockerEngine.connect("tcp://127.0.0.1:1", find_login=nobody))
    assert stopped.reason.code is Code.BAD_SETTINGS
    assert stopped.reason.where == str(tmp_path / "config.json")


async def test_what_is_not_an_engine_is_said() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host = f"tcp://{address_of(server)}"
        code = await code_of(DockerEngine.connect(host, find_login=nobody))
    assert code is Code.ENGINE_UNREACHABLE


@pytest.mark.real
async def test_says_what_it_is(engine: DockerEngine, api: docker.APIClient) -> None:
    assert engine.version == api.version()["Version"]
    assert engine.has_buildkit


@pytest.mark.real
async def test_the_environment_names_the_engine(
    engine_host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine_host)
    engine = await DockerEngine.connect(find_login=nobody)
    found = await engine.find("pachops-test/none:1")
    await engine.close()
    assert found is None


@pytest.mark.real
async def test_works_over_a_port(engine_host: str, busybox_image: str, repository: str) -> None:
    async with Proxy(engine_host).on_port() as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        order = BuildOrder("edges", (f"{repository}:1",), "Dockerfile")
        files = context({"Dockerfile": f"FROM {busybox_image}\nLABEL it={repository}"})
        built = await engine.build(order, files, Events())
        found = await engine.find(f"{repository}:1")
        await engine.close()
    assert found is not None
    assert found.id == built


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Docker's files for TLS: one key is authority, server and client at once."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pachops-test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    for file in ("ca.pem", "cert.pem"):
        (tmp_path / file).write_bytes(certificate)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return tmp_path


@pytest.mark.real
async def test_builds_and_tests_over_tls(
    engine_host: str,
    busybox_image: str,
    repository: str,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    tls.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    async with Proxy(engine_host).on_port(tls) as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        secret = {"token": SecretStr(repository)}
        order = BuildOrder("edges", (f"{repository}:1",), "Dockerfile", secrets=secret)
        step = f"RUN --mount=type=secret,id=token,required=true echo {repository}"
        files = context({"Dockerfile": f"FROM {busybox_image}\n{step}"})
        await engine.build(order, files, Events())
        test = TestOrder("edges", f"{repository}:1", ("seq", "1", "5000"), 30, "32m")
        run = await engine.test(test, events := Events())
        await engine.close()
    assert (run.exit_code, run.timed_out) == (0, False)
    assert len(events.lines) == 5000


@pytest.mark.real
async def test_finds_an_image_with_its_labels_or_nothing(
    engine: DockerEngine, busybox_image: str, api: docker.APIClient
) -> None:
    found = await engine.find(busybox_image)
    assert found is not None
    assert (found.id, found.labels) == (id_of(api, busybox_image), {})
    assert await engine.find("pachops-test/none:1") is None


@pytest.mark.real
async def test_a_tag_that_cannot_be_is_refused(engine: DockerEngine, busybox_image: str) -> None:
    assert await code_of(engine.tag(busybox_image, "it", "not a tag")) is Code.ENGINE_REFUSED


@pytest.mark.real
async def test_knows_the_free_space_of_an_engine_on_this_machine(engine: DockerEngine) -> None:
    free = await engine.free_bytes()
    assert free is None or free > 0


@pytest.mark.real
async def test_does_not_know_the_free_space_of_an_engine_elsewhere(engine_host: str) -> None:
    async with Proxy(engine_host).on_port() as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        free = await engine.free_bytes()
        await engine.close()
    assert free is None


@pytest.mark.real
async def test_no_thread_is_left_after_close(engine_host: str) -> None:
    engine = await DockerEngine.connect(engine_host, find_login=nobody)
    await engine.find("pachops-test/none:1")
    await engine.close()
    await eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("docker-")])


async def test_old_images_of_ours_go_and_those_that_run_or_are_young_stay(
    engine: DockerEngine, api: docker.APIClient, repository: str, busybox_image: str
) -> None:
    label = f"test.{repository.rpartition('/')[2]}"
    for tag, created in (
        ("old", "2020-01-01T00:00:00+00:00"),
        ("young", "2099-01-01T00:00:00+00:00"),
    ):
        order = BuildOrder(
            "edges",
            (f"{repository}:{tag}",),
            "Dockerfile",
            labels={label: tag, "org.opencontainers.image.created": created},
        )
        await engine.build(order, context({"Dockerfile": f"FROM {busybox_image}\n"}), Events())
    now = datetime.now(UTC).timestamp()
    assert await engine.forget_images(label, now) == 1
    assert await engine.find(f"{repository}:old") is None
    assert await engine.find(f"{repository}:young") is not None
    assert await engine.find(busybox_image) is not None
    assert api.ping()


async def test_the_build_cache_is_pruned_by_when_it_was_used(
    engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def prune_builds(_client: object, **options: object) -> dict[str, int]:
        asked.append(options)
        return {"SpaceReclaimed": 5}

    monkeypatch.setattr(docker.APIClient, "prune_builds", prune_builds)
    assert await engine.forget_cache(3600.0) == 5
    assert asked == [{"filters": {"until": "3600s"}, "all": True}]


async def test_a_pull_that_is_not_allowed_or_not_possible_is_said(engine: DockerEngine) -> None:
    stopped = await reason_of(engine.pull("127.0.0.1:1/edges", "1"))
    assert stopped.reason.code is Code.REGISTRY_UNREACHABLE
