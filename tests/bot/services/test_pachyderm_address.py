from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.pachyderm import Pachyderm
from tests.standins.pachd import Pachd


def make_certificate() -> tuple[bytes, bytes]:
    """A key and a certificate for localhost that is signed with it, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return key_text, certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("grpc://pachd:30650", "grpc://pachd:30650"),
        ("grpc://pachd", "grpc://pachd:30650"),
        ("grpcs://pachd.example.com:443/", "grpcs://pachd.example.com:443"),
        ("https://pachd.example.com:443", "grpcs://pachd.example.com:443"),
        ("grpc://[::1]:30650", "grpc://[::1]:30650"),
    ],
)
def test_an_address_is_read_as_pachctl_reads_it(text: str, address: str) -> None:
    assert Pachyderm(text).address == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pachd:30650",
        "ftp://pachd",
        "grpc://",
        "grpc://pachd:port",
        "grpc://pachd:1/x",
        "grpc://[",
    ],
)
def test_what_is_no_address_is_a_bad_setting(text: str) -> None:
    with pytest.raises(StoppedError) as caught:
        Pachyderm(text)
    assert caught.value.reason.code == Code.BAD_SETTINGS
    assert "grpc://HOST:PORT" in caught.value.reason.next_step


def test_a_login_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(StoppedError) as caught:
        Pachyderm("grpc://me:hunter2@pachd:30650")
    assert caught.value.reason.code == Code.BAD_SETTINGS
    assert "hunter2" not in str(caught.value)


def test_a_token_that_is_none_is_a_bad_setting_and_not_repeated() -> None:
    with pytest.raises(StoppedError) as caught:
        Pachyderm("grpc://pachd", token=SecretStr("hunter2\nhunter3"))
    assert caught.value.reason.code == Code.BAD_SETTINGS
    assert "hunter" not in str(caught.value)


def test_root_certificates_must_be_pem() -> None:
    with pytest.raises(StoppedError) as caught:
        Pachyderm("grpcs://pachd", root_certs=b"nonsense")
    assert caught.value.reason.code == Code.BAD_SETTINGS


def test_root_certificates_without_tls_are_a_mistake() -> None:
    with pytest.raises(StoppedError) as caught:
        Pachyderm("grpc://pachd", root_certs=make_certificate()[1])
    assert "without TLS" in caught.value.reason.fact


async def test_with_its_root_certificate_a_pachd_with_tls_is_trusted() -> None:
    key, certificate = make_certificate()
    async with Pachd(tls=(key, certificate)) as pachd:
        pachyderm = Pachyderm(pachd.address, root_certs=certificate)
        assert await pachyderm.version() == "2.12.2"
        await pachyderm.close()


async def test_with_another_root_certificate_it_is_not() -> None:
    async with Pachd(tls=make_certificate()) as pachd:
        pachyderm = Pachyderm(pachd.address, root_certs=make_certificate()[1])
        with pytest.raises(StoppedError) as caught:
            await pachyderm.version()
        await pachyderm.close()
    assert caught.value.reason.code == Code.PACHD_UNREACHABLE
    assert "certificate" in caught.value.reason.next_step


async def test_tls_towards_a_pachd_without_it_names_the_address() -> None:
    async with Pachd() as pachd:
        pachyderm = Pachyderm(pachd.address.replace("grpc:", "grpcs:"))
        with pytest.raises(StoppedError) as caught:
            await pachyderm.version()
        await pachyderm.close()
    assert caught.value.reason.code == Code.PACHD_UNREACHABLE
    assert "grpcs://" in caught.value.reason.next_step
