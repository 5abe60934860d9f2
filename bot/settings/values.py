"""What a setting's value must be, and values that stand in files of their own."""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from bot.domain.slack import CHANNEL, CHANNEL_RULE

_SHORTEST_KEY = 24


def _absolute_path(value: object, info: ValidationInfo) -> Path:
    written = value if isinstance(value, str) else ""
    home: Path | None = (info.context or {}).get("home")
    if written.startswith("~/") and home:
        return home / written[2:]
    if not written.startswith("/"):
        raise ValueError("must be an absolute path, or one that begins with ~/")
    return Path(written)


def _grpc_address(value: str) -> str:
    rule = "must be grpc://HOST:PORT, or grpcs://HOST:PORT for TLS"
    try:
        url = urlsplit(value)
        complete = url.scheme in {"grpc", "grpcs"} and url.hostname and url.port
    except ValueError:
        complete = False
    if not complete or url.path.strip("/") or url.query or url.fragment or url.username:
        raise ValueError(rule)
    return f"{url.scheme}://{url.netloc}"


def _database_url(value: str) -> str:
    if re.match(r"sqlite:///[^/:?]", value):
        raise ValueError("must name its file from the root; write four slashes: sqlite:////PATH")
    is_file = re.fullmatch(r"sqlite:///[^?:]+(\?.*)?", value)
    if is_file is None and re.match(r"postgresql(\+psycopg)?://[^/]*/\w", value) is None:
        raise ValueError(
            "must be sqlite:////PATH/TO/FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        )
    return value


def _split(value: object) -> object:
    """A list may be written as docker's variable is: with commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _different(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("must name each engine once")
    return value


def _engine_address(value: str) -> str:
    if re.match(r"(unix|tcp|ssh|https?|npipe)://.", value) is None:
        raise ValueError("must be an engine's address such as unix:///var/run/docker.sock")
    return value


def _host(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.\[\]_-]+(:[0-9]{1,5})?", value) is None:
        raise ValueError("must be HOST or HOST:PORT, without a scheme or a path")
    return value.lower()


def _one_line(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be one line of printable characters without spaces")
    return value


def _web_address(value: str) -> str:
    try:
        url = urlsplit(value)
        complete = url.scheme in {"http", "https"} and url.hostname and (url.port or True)
    except ValueError:
        complete = False
    if not complete or url.query or url.fragment or url.username:
        raise ValueError("must be https://HOST, without a login")
    return value.rstrip("/")


def _command_word(value: str) -> str:
    if re.fullmatch(r"[/!][A-Za-z0-9][A-Za-z0-9_-]{0,38}", value) is None:
        raise ValueError("must be one word that begins with / or !, such as /pachops")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith("xoxb-"):
        raise ValueError("must be a bot token, which begins with xoxb-")
    return value


def _app_token(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith("xapp-"):
        raise ValueError("must be an app-level token, which begins with xapp-")
    return value


def _slack_channel(value: str) -> str:
    if re.fullmatch(CHANNEL, value) is None:
        text = f"must be {CHANNEL_RULE}"
        raise ValueError(text)
    return value


def _not_empty(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("must not be empty")
    return value


def _key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _SHORTEST_KEY:
        msg = f"must have at least {_SHORTEST_KEY} characters; take random ones"
        raise ValueError(msg)
    return _one_line(value)


def _private_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if "-----BEGIN" not in text:
        raise ValueError("must be a key in PEM form, which begins with -----BEGIN")
    # Many tools that set variables write a line's end as these two characters.
    return SecretStr(text.replace("\\n", "\n"))


def _certificates(value: object, info: ValidationInfo) -> bytes:
    path = _absolute_path(value, info)
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        text = f"is not a file that can be read: {path}"
        raise ValueError(text) from None


def take_from_file(data: object, key: str, info: ValidationInfo) -> object:
    """Put the content of the file under `{key}_file` where the value is not said itself."""
    file_key = f"{key}_file"
    if not isinstance(data, dict) or file_key not in data:
        return data
    if data.get(key) is not None:
        text = f"is given beside {key}; give one of the two"
        raise incomplete(text, file_key)
    rest = {name: value for name, value in data.items() if name != file_key}
    return rest | {key: _read_secret(data[file_key], file_key, info).rstrip("\r\n")}


def add_file_field(schema: dict[str, Any], key: str) -> None:
    """Let a model's JSON Schema take a field from a file, as `take_from_file` does."""
    file_key = f"{key}_file"
    schema["properties"][file_key] = {
        "type": "string",
        "description": f"Instead of `{key}`: the path of a file that holds it.",
    }
    required: list[str] = schema.get("required", [])
    if key in required:
        required.remove(key)
        schema["oneOf"] = [{"required": [key]}, {"required": [file_key]}]
        return
    both = {"not": {"required": [key, file_key]}}
    schema["allOf"] = [*schema.get("allOf", ()), both]


def _read_secret(path: object, at: str, info: ValidationInfo) -> str:
    try:
        file = _absolute_path(path, info)
    except ValueError as error:
        raise incomplete(str(error), at) from None
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        text = f"cannot be read: {file}: {error.strerror}"
        raise incomplete(text, at) from None
    except ValueError:
        text = f"is not UTF-8 text: {file}"
        raise incomplete(text, at) from None


def incomplete(text: str, at: str) -> PydanticCustomError:
    """What is wrong with a part of a group that needs its parts together."""
    return PydanticCustomError("pachops", "{text}", {"text": text, "at": at})


def _split_words(value: object) -> object:
    return (
        [part for part in re.split(r"[,\s]+", value) if part] if isinstance(value, str) else value
    )


class SecretFile(BaseModel):
    """A secret that stands in a file of its own."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    file: str
    """Its path."""


def _build_secret(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, dict):
        return value
    if set(value) != {"file"}:
        raise ValueError("must be text, or file: PATH")
    return _read_secret(value["file"], "file", info)


FilePath = Annotated[Path, BeforeValidator(_absolute_path)]
Certificates = Annotated[bytes, BeforeValidator(_certificates, json_schema_input_type=str)]
Token = Annotated[SecretStr, AfterValidator(_one_line)]
Host = Annotated[str, AfterValidator(_host)]
Address = Annotated[str, AfterValidator(_grpc_address)]
Secret = Annotated[SecretStr, AfterValidator(_not_empty)]
Secrets = Annotated[
    tuple[Secret, ...],
    BeforeValidator(_split_words, json_schema_input_type=str | tuple[Secret, ...]),
]
Key = Annotated[SecretStr, AfterValidator(_key)]
PrivateKey = Annotated[SecretStr, AfterValidator(_private_key)]
BotToken = Annotated[Token, AfterValidator(_bot_token)]
AppToken = Annotated[Token, AfterValidator(_app_token)]
SlackChannel = Annotated[str, AfterValidator(_slack_channel)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
CommandWord = Annotated[str, AfterValidator(_command_word)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
EngineAddress = Annotated[str, AfterValidator(_engine_address)]
EngineAddresses = Annotated[
    tuple[EngineAddress, ...],
    BeforeValidator(_split, json_schema_input_type=str | tuple[EngineAddress, ...]),
    AfterValidator(_different),
]
BuildSecret = Annotated[
    SecretStr, BeforeValidator(_build_secret, json_schema_input_type=SecretStr | SecretFile)
]
