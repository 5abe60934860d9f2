"""Whether a worker could pull an image."""

import re
import urllib.error
import urllib.request

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.oci.image.index.v1+json"
)
REFERENCE = re.compile(
    r"(?P<host>(localhost|127\.0\.0\.1)(:\d+)?)/(?P<name>[^:@]+)"
    r"(:(?P<tag>[^@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?"
)
TIMEOUT = 3.0
"""Seconds."""


def image_exists(reference: str) -> bool:
    """Ask a registry on this machine; any other registry is taken to have everything."""
    found = REFERENCE.fullmatch(reference)
    if not found:
        return True
    version = found["digest"] or found["tag"] or "latest"
    request = urllib.request.Request(
        f"http://{found['host']}/v2/{found['name']}/manifests/{version}",
        method="HEAD",
        headers={"Accept": MANIFESTS},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT):
            return True
    except urllib.error.HTTPError as error:
        # A registry with a login: a real cluster has its own pull secret for it.
        with error:
            return error.code in {401, 403}
    except OSError:
        return False
