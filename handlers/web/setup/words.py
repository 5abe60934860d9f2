"""Every text of the set-up: its page, and what the terminal says meanwhile."""

from collections.abc import Iterator
from types import MappingProxyType

from bot.services.github import WEBHOOK_PATH
from handlers.web.setup.flow import Made

TITLE = "Set up pachops on GitHub"
PAGE = "/setup"

CODE = "Code"
ENTER_CODE = (
    "Enter the code that pachops printed on the terminal when it started. "
    "It shows that you are the one who runs it."
)
GO_ON = "Continue"
WRONG_CODE = "That is not the code. Copy it from the terminal as it stands there."
USED_CODE = (
    "The code was used already, in another browser or before its cookies were cleared. "
    "If that was not you, somebody else can see your terminal. "
    "Stop pachops and start it again: it prints a new code."
)
NO_CODE_YET = "Enter the code first."

FORM = (
    "pachops acts on GitHub as an App that belongs to you. This page prepares it; GitHub makes it."
)
NAME = "Name of the App"
NAME_HELP = "People see it on comments and checks. No two Apps on GitHub have the same name."
ORGANIZATION = "Organization"
ORGANIZATION_HELP = "Whose App it is. Leave it empty for your own account."
ADDRESS = "Address of the bot"
ADDRESS_HELP = (
    "Where GitHub reaches pachops from outside, such as https://pachops.example.com. "
    "Leave it empty if you do not know it yet: webhooks stay off until you enter it on GitHub."
)
TEAMS = "Rules name teams of the organization"
TEAMS_HELP = (
    "For deployers that are teams, in .pachops.yml. The App may then read who is in a team."
)
REVIEW = "Review"

SEND = "GitHub asks you to confirm the name, makes the App, and sends you back here with its keys."
MAY = "The App may"
WEBHOOKS_TO = "GitHub tells of pushes, pull requests, comments, releases and checks at"
NO_WEBHOOK = "nowhere yet: enter the address on the App's page later"
CREATE = "Create the App on GitHub"
CHANGE = "Change something"

PERMISSIONS = MappingProxyType(
    {
        "metadata": "see that the repository is there",
        "contents": "read the repository",
        "pull_requests": "comment on pull requests",
        "issues": "be told of comments (GitHub calls this reading issues)",
        "checks": "write checks",
        "statuses": "read commit statuses",
        "deployments": "write deployments",
        "members": "read who is in a team of the organization",
    }
)

DONE = "The App is made and its keys are kept. You can close this page."
FILE = "Its keys are in"
FILE_NOTE = "Only the user who runs pachops can read the file. GitHub does not show the keys again."
NEXT = "What to do next"
INSTALL = "Install the App on the repositories that pachops serves"
START = "Start the bot"
STARTS = "The bot goes on by itself with the new App."
ENTER_ADDRESS = "On the App's page, enter the webhook URL, make it active and save"
COMMAND = "pachops serve"
YOUR_WEBHOOK = f"https://YOUR_HOST{WEBHOOK_PATH}"

WRONG_STATE = (
    "This answer of GitHub does not belong to a set-up that waits here: it came twice, too late, "
    "or from somebody else. Nothing was kept. Begin again."
)
NO_KEYS = (
    "GitHub made an App, but its keys did not reach pachops and GitHub does not show them again. "
    "Delete that App on GitHub, and begin again."
)
NOT_KEPT = (
    "The App is made, but its keys could not be written down. They are only in this process: "
    "mend what is wrong without stopping pachops, then try again."
)
AGAIN = "Begin again"
TRY_AGAIN = "Try again"

NAME_WRONG = "Write a name of at most 34 characters."
ORGANIZATION_WRONG = "Write the organization as it stands in its address: letters, digits and -."
ADDRESS_WRONG = "Write an address such as https://pachops.example.com, without a login or a query."
ADDRESS_LOCAL = (
    "GitHub cannot reach this machine under that name. "
    "Write the address that it has from outside, or leave the field empty."
)


def opening(address: str, code: str) -> Iterator[str]:
    """What the terminal says first."""
    yield "Open this page in a browser:"
    yield f"  {address}"
    yield "and enter this code there:"
    yield f"  {code}"


def tunnel(port: int) -> Iterator[str]:
    """How the page is reached where no browser is."""
    yield "No browser on this machine? Run this on your own, and open the same page there:"
    yield f"  ssh -L {port}:localhost:{port} THIS_MACHINE"
    yield "Waiting. Ctrl-C ends it."


def not_set_up() -> str:
    """Why the bot does not listen to GitHub."""
    return "pachops has no login on GitHub yet."


def closing(made: Made, *, goes_on: bool) -> Iterator[str]:
    """What the terminal says at the end."""
    yield f"The GitHub App {made.app.slug} is made."
    yield f"{FILE} {made.file}, which only you can read."
    yield f"{NEXT}:"
    steps = [f"{INSTALL}: {made.app.install_address}"]
    if made.wish.webhook is None:
        steps.append(f"{ENTER_ADDRESS} ({YOUR_WEBHOOK}): {made.settings_address}")
    if not goes_on:
        steps.append(f"{START}: {COMMAND}")
    for number, step in enumerate(steps, start=1):
        yield f"  {number}. {step}"


INTERRUPTED = "by Ctrl-C, before there were any keys; nothing was kept"
LATE = "nobody finished it within the hour; nothing was kept"
RUN_AGAIN = "Run `pachops setup github` again when you are ready."
