"""The proxy through which an address is reached."""

import urllib.request
from urllib.parse import urlsplit

_HERE = {"localhost", "127.0.0.1", "::1"}


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names (HTTPS_PROXY, NO_PROXY); None for none."""
    # aiohttp's own way, trust_env, would also replace our login by what .netrc has.
    parts = urlsplit(url)
    if parts.hostname in _HERE or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)
