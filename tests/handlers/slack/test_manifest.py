"""The manifest asks for what the bot needs, and for no more."""

from urllib.parse import parse_qs, urlsplit

from ruamel.yaml import YAML

from bot.domain.slack import BOT_SCOPES
from handlers.slack.manifest import manifest, manifest_file, manifest_yaml, new_app_url
from tests.standins.slack.app import SCOPES


def test_scopes_are_those_that_the_tests_run_with() -> None:
    assert frozenset(manifest()["oauth_config"]["scopes"]["bot"]) == SCOPES == set(BOT_SCOPES)


def test_nobody_may_read_channels() -> None:
    assert not {scope for scope in BOT_SCOPES if scope.endswith(":history")} - {"im:history"}
    assert "chat:write.public" not in BOT_SCOPES


def test_file_is_for_socket_mode() -> None:
    read = YAML(typ="safe").load(manifest_file())
    assert read == manifest()
    assert read["settings"]["socket_mode_enabled"]
    assert "request_url" not in manifest_file()


def test_http_has_one_address_for_everything() -> None:
    read = manifest("https://bot.acme.io")
    url = "https://bot.acme.io/slack/events"
    assert not read["settings"]["socket_mode_enabled"]
    assert read["settings"]["event_subscriptions"]["request_url"] == url
    assert read["settings"]["interactivity"]["request_url"] == url
    assert read["features"]["slash_commands"][0]["url"] == url


def test_page_has_the_manifest_filled_in() -> None:
    query = parse_qs(urlsplit(new_app_url()).query)
    assert query["manifest_yaml"] == [manifest_yaml()]
