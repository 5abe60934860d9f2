"""The values of a project file, and what is said of those that are wrong."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.domain.calendar import parse_period
from bot.domain.github import LOGIN
from bot.domain.slack import CHANNEL, CHANNEL_RULE

_NAME = "[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"
_PACHYDERM_NAME = "[A-Za-z0-9_-]{1,51}"
_SECRET_ID = "[A-Za-z0-9_.-]{1,128}"  # noqa: S105 - the shape of a name, not a secret
_LOGIN = rf"{LOGIN}(?:\[bot\])?"
_SLACK_GROUP = "[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_PLATFORM = "[a-z0-9]{1,20}/[a-z0-9]{1,20}(?:/v[0-9]{1,2})?"
_TEAM = rf"{LOGIN}/[A-Za-z0-9_.-]{{1,255}}"


class Declared(BaseModel):
    """A part of a project file; what it does not know is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


def _shape(pattern: str, rule: str) -> tuple[AfterValidator, WithJsonSchema]:
    expression = re.compile(pattern)
    text = f"must be {rule}"

    def check(value: str) -> str:
        if expression.fullmatch(value) is None:
            raise ValueError(text)
        return value

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return AfterValidator(check), WithJsonSchema(schema)


def _inside(value: str) -> str:
    if not value or value.startswith("/") or "\\" in value or not value.isprintable():
        raise ValueError("must be a path inside the repository, with / and without a leading /")
    if ".." in value.split("/"):
        raise ValueError("must be a path inside the repository, without '..'")
    return value


def _without_tag(value: str) -> str:
    if not value or re.search(r"\s", value) or "://" in value:
        raise ValueError("must be an image's name such as registry.example.com/team/name")
    if "@" in value or ":" in value.rsplit("/", 1)[-1]:
        raise ValueError("must be a name without a tag or a digest; tags go under tags")
    return value


def _command(value: object) -> object:
    if not value or not isinstance(value, str | list | tuple):
        raise ValueError("must be a command: a list of words, or a string for sh -c")
    return ["sh", "-c", value] if isinstance(value, str) else value


def empty_is_default(value: object) -> object:
    """A key with nothing after it says nothing."""
    return {} if value is None else value


def each_once(value: tuple[str, ...]) -> tuple[str, ...]:
    """A list in which nothing is named twice."""
    for each in value:
        if value.count(each) > 1:
            text = f"has {each} twice"
            raise ValueError(text)
    return value


def _branches(value: str) -> str:
    if value.startswith("refs/"):
        raise ValueError("must be a branch's name, without refs/heads/")
    if not value or len(value) > 255 or re.search(r"[\s~^:\\]", value) or not value.isprintable():
        raise ValueError("must be a branch, or a pattern such as release/*")
    return value


def _period(value: str) -> str:
    return parse_period(value).text


_name_check, _name_schema = _shape(
    _NAME, "lower-case letters, digits, '-', '_' or '.', beginning and ending with one of the first"
)
_pachyderm_check, _pachyderm_schema = _shape(
    _PACHYDERM_NAME, "letters, digits, '-' or '_', at most 51"
)
_secret_check, _secret_schema = _shape(_SECRET_ID, "letters, digits, '_', '.' or '-'")
_login_check, _login_schema = _shape(_LOGIN, "a GitHub login, without @")
_group_check, _group_schema = _shape(
    _SLACK_GROUP, "a Slack user group's handle without @, such as ml-oncall, or its id"
)
_team_check, _team_schema = _shape(_TEAM, "a team as ORGANISATION/TEAM, such as acme/ml-platform")

_channel_check, _channel_schema = _shape(CHANNEL, CHANNEL_RULE)
_platform_check, _platform_schema = _shape(_PLATFORM, "a platform such as linux/arm64")

Name = Annotated[str, _name_check, _name_schema]
PachydermName = Annotated[str, _pachyderm_check, _pachyderm_schema]
SecretId = Annotated[str, _secret_check, _secret_schema]
Platform = Annotated[str, _platform_check, _platform_schema]
InnerPath = Annotated[str, AfterValidator(_inside)]
Login = Annotated[str, _login_check, _login_schema]
Team = Annotated[str, _team_check, _team_schema]
SlackGroup = Annotated[str, _group_check, _group_schema]
WrittenPeriod = Annotated[str, AfterValidator(_period)]
Branches = Annotated[str, AfterValidator(_branches)]
"""A branch, or a pattern: `*` and `?` within a part of the name, `**` for any parts."""
Channel = Annotated[str, _channel_check, _channel_schema]
"""A channel in Slack."""
Repository = Annotated[str, AfterValidator(_without_tag)]
Text = Annotated[str, Field(min_length=1)]
Command = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(_command, json_schema_input_type=str | list[str]),
]
