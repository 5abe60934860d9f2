"""What `pachops setup slack` says."""

from collections.abc import Iterable, Iterator

from bot.domain.slack import APP_SCOPES, BOT_SCOPES
from bot.services.slack import Login
from handlers.slack.manifest import new_app_url

CHECKED = "\nWhat is set now:"
ALL_WELL = "\nSlack is set up. Start `pachops serve`, and type /pachops help in a channel."
NOT_YET = "\nSet what is missing, then run `pachops setup slack` again."
NOT_SET = "PACHOPS_SLACK_BOT_TOKEN is not set"
SCOPES_UNKNOWN = "the answer does not name the token's scopes, so they cannot be checked"
NOT_CHECKED = "the signing secret cannot be checked from here: a wrong one refuses every request"


def guide(address: str | None) -> Iterator[str]:
    """The steps, for Socket Mode or for mode http."""
    yield "1. Make the app. This page has its manifest filled in; choose the workspace:"
    yield f"   {new_app_url(address)}"
    yield "2. Install it: Settings, Install App. Copy the Bot User OAuth Token:"
    yield "   PACHOPS_SLACK_BOT_TOKEN_FILE=/path/to/a/file/with/xoxb-..."
    if address is None:
        yield (
            "3. Basic Information, App-Level Tokens: generate one with the scope "
            f"{', '.join(APP_SCOPES)}:"
        )
        yield "   PACHOPS_SLACK_APP_TOKEN_FILE=/path/to/a/file/with/xapp-..."
    else:
        yield "3. Basic Information, App Credentials: copy the Signing Secret:"
        yield "   PACHOPS_SLACK_MODE=http"
        yield "   PACHOPS_SLACK_SIGNING_SECRETS_FILE=/path/to/a/file"
    yield "4. In each channel that is to be told of deployments: /invite @pachops"


def good(text: str) -> str:
    """A check that went well."""
    return f"  ✓ {text}"


def bad(text: str, next_step: str = "") -> str:
    """A check that did not."""
    return f"  ✗ {text}" + (f"\n    {next_step}" if next_step else "")


def open_question(text: str) -> str:
    """What nobody can tell."""
    return f"  ? {text}"


def login(found: Login) -> str:
    """Whose token it is."""
    return f"the bot token is {found.name}'s, in {found.team_name} ({found.url})"


def scopes() -> str:
    """All are there."""
    return f"it has all {len(BOT_SCOPES)} scopes"


def missing_scope(scope: str) -> str:
    """One is not."""
    return f"the bot token lacks the scope {scope}, {BOT_SCOPES[scope]}"


ADD_SCOPES = (
    "OAuth & Permissions, Scopes: add it, then install the app again and copy the token anew "
    "where it has changed."
)


def needless_scopes(names: Iterable[str]) -> str:
    """More than is needed."""
    return f"it may do more than pachops needs: {', '.join(sorted(names))}"


def app_token() -> str:
    """Socket Mode works."""
    return "the app token opens sockets"
