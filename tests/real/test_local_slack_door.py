import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.real.local_slack_door import local_slack_on_loopback

pytestmark = pytest.mark.real

CONFIG = {
    "workspace": {"name": "Acme", "domain": "acme", "teamId": "T0ACME"},
    "app": {
        "appId": "A0",
        "botUserId": "U0BOT",
        "botName": "bot",
        "botToken": "xoxb-1",
        "appToken": "xapp-1",
        "signingSecret": "0" * 32,
        "mode": "socket",
        "requestUrl": "http://127.0.0.1:1/",
    },
    "users": [{"id": "U0ANN", "name": "ann", "real_name": "Ann", "email": "ann@acme.io"}],
    "channels": [{"id": "C0ML", "name": "ml", "members": ["U0ANN"]}],
}


def test_it_is_reached_on_loopback_and_nowhere_else(local_slack_program: Path) -> None:
    with local_slack_on_loopback(local_slack_program, CONFIG) as url:
        with urllib.request.urlopen(f"{url}/", timeout=30) as answer:  # noqa: S310 - ours
            assert answer.status == 200
        port = urlsplit(url).port
        listening = [each for each in psutil.net_connections("tcp") if port in each.laddr]
        places = {
            str(next(iter(each.laddr))) for each in listening if each.status == psutil.CONN_LISTEN
        }
        assert places == {"127.0.0.1"}
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port or 0)) != 0
