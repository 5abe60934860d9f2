"""Where a GitHub's API is."""

from urllib.parse import urlsplit

CLOUD = "https://github.com"


def api_url(url: str) -> str:
    """The API of the GitHub that people open at `url`; an API's own URL stays as it is."""
    parts = urlsplit(url.rstrip("/"))
    host = parts.hostname or ""
    if parts.path or host.startswith("api."):
        return url.rstrip("/")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"{parts.scheme}://api.{parts.netloc}"
    return f"{parts.scheme}://{parts.netloc}/api/v3"
