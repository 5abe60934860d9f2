import socket

from tests.real.network import free_port


def test_a_port_that_is_taken_is_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert taken.getsockname()[1] not in {free_port() for _ in range(20)}
