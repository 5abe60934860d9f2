"""Questions to registries that repeat safely: which digest a tag has, and one tag more."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.calls import UNCOUNTED, Calls
from bot.services.logins import Login
from bot.services.registry.authorization import (
    Authorization,
    NoTokenError,
    challenges,
    fetch_token,
    password,
)
from bot.services.registry.wire import (
    MANIFEST_TYPES,
    Answer,
    Greeting,
    Place,
    Request,
    TryAgainError,
    UntrustedError,
    Upload,
    Wire,
    is_safe,
    sha256,
)

PAUSES = (0.3, 1.0, 2.0)
"""Seconds before each repeat of a request that failed for a reason that may pass."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_TRUST = (
    "Make the bot's machine trust the registry's certificate; "
    "or, where it has no TLS, name it in PACHOPS_INSECURE_REGISTRIES."
)


class Registry:
    """Every registry that the bot may reach, spoken to as the distribution specification says.

    `find_login` is given the registry's host (`docker.io` for Docker Hub) and is called in a
    thread. Plain http goes to this machine and to the hosts in `insecure`; all else is https.
    `timeout` in seconds is for each try. Repositories are written `host/path`. Errors, from every
    method: registry_refused, registry_unreachable, and those of `find_login`.
    """

    def __init__(
        self,
        find_login: Callable[[str], Login | None],
        *,
        insecure: Collection[str] = (),
        timeout: float = 30.0,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._find_login = find_login
        self._insecure = frozenset(insecure)
        self._wire = Wire(timeout, calls)
        self._authorizations: dict[tuple[str, str], Authorization] = {}
        self._logins: dict[str, Login] = {}
        """By host: what must not be said when a server repeats it."""

    async def digest(self, repository: str, tag: str) -> str | None:
        """The digest that a tag has; None where there is no such tag or repository."""
        place = Place.of(repository, self._insecure)
        answer = await self._ask(Request("HEAD", place, tag))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status == HTTPStatus.OK and answer.digest:
            return answer.digest
        # A HEAD carries neither an error's text nor a manifest to take the digest of.
        answer = await self._ask(Request("GET", place, tag))
        if answer.status == HTTPStatus.NOT_FOUND or answer.error[0] == "NAME_UNKNOWN":
            return None
        self._expect_manifest(answer, place)
        return answer.digest or sha256(answer.body)

    async def add_tag(self, repository: str, digest: str, tag: str) -> None:
        """Give an image that is in the registry one tag more; harmless where it has it."""
        if await self.digest(repository, tag) == digest:
            return
        place = Place.of(repository, self._insecure)
        found = await self._ask(Request("GET", place, digest, writes=True))
        self._expect_manifest(found, place)
        if digest.startswith("sha256:") and sha256(found.body) != digest:
            raise self._refused(place, f"what it sent is not {digest}")
        put = Request(
            "PUT",
            place,
            tag,
            writes=True,
            body=found.body,
            content_type=found.content_type,
        )
        answer = await self._ask(put)
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.OK}:
            raise self._refused(place, f"it did not take the tag `{tag}`: {answer}")
        if answer.digest and answer.digest != digest:
            raise self._refused(place, f"it put {answer.digest} under `{tag}` instead of {digest}")

    async def greet(self, host: str) -> None:
        """See whether a registry answers and takes the login for it."""
        place = Place.of(f"{host}/", self._insecure)
        answer = await self._ask(Greeting("GET", place, ""))
        if answer.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise self._refused(place, f"it answers {answer}")

    async def may_push(self, repository: str) -> None:
        """See whether we may push to a repository: an upload is begun and given up."""
        place = Place.of(repository, self._insecure)
        answer = await self._ask(Upload("POST", place, "", writes=True))
        if answer.status != HTTPStatus.ACCEPTED:
            raise self._refused(place, f"it takes no upload: {answer}")
        location = urljoin(place.origin, answer.headers.get("Location", ""))
        if _origin(location) != place.origin:
            return
        authorization = self._authorizations.get(
            (place.origin, Upload("", place, "", writes=True).scope)
        )
        headers = {"Authorization": authorization.header} if authorization else {}
        # A registry forgets it by itself, too.
        with suppress(TryAgainError, UntrustedError):
            await self._wire.send("DELETE", location, headers)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def _ask(self, request: Request) -> Answer:
        """Ask with whatever login is wanted, and again while that may help."""
        for pause in PAUSES:
            try:
                return await self._ask_once(request)
            except TryAgainError as error:
                await asyncio.sleep(max(pause, error.pause))
        try:
            return await self._ask_once(request)
        except TryAgainError as error:
            raise self._unreachable(request.place, error.fact) from error

    async def _ask_once(self, request: Request) -> Answer:
        key = (request.place.origin, request.scope)
        known = self._authorizations.get(key)
        if known and not known.is_fresh:
            known = None
        answer = await self._send(request, known)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            known = await self._authorize(request, answer)
            self._authorizations[key] = known
            answer = await self._send(request, known)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            self._authorizations.pop(key, None)
            raise self._login_refused(
                request, str(answer), sent=known is not None and known.with_login
            )
        return answer

    async def _authorize(self, request: Request, answer: Answer) -> Authorization:
        login = await asyncio.to_thread(self._find_login, request.place.host)
        if login:
            self._logins[request.place.host] = login
        offered = challenges(answer)
        realm = offered.get("bearer", {}).get("realm")
        if realm is None:
            if login is None or "basic" not in offered:
                raise self._login_refused(request, str(answer), sent=False)
            return password(login)
        if not is_safe(realm, self._insecure):
            raise self._refused(
                request.place, f"it wants a token from {_origin(realm)}, without TLS"
            )
        try:
            return await fetch_token(self._wire, request, offered["bearer"], login)
        except UntrustedError as error:
            raise self._unreachable(request.place, str(error), next_step=_TRUST) from error
        except NoTokenError as error:
            said = f"{_origin(realm)} gave no token: {error}"
            raise self._login_refused(request, said, sent=login is not None) from error

    async def _send(self, request: Request, authorization: Authorization | None) -> Answer:
        """Send it and follow where it leads; the login is for the registry's own origin only."""
        url = request.url
        for _ in range(_MOST_REDIRECTS):
            headers = request.headers
            if authorization and _origin(url) == request.place.origin:
                headers["Authorization"] = authorization.header
            try:
                answer = await self._wire.send(request.method, url, headers, data=request.body)
            except UntrustedError as error:
                raise self._unreachable(request.place, str(error), next_step=_TRUST) from error
            onward = urljoin(url, answer.headers.get("Location", ""))
            is_followed = answer.status in _REDIRECTS and request.method != "PUT"
            if not is_followed or not is_safe(onward, self._insecure):
                return answer
            url = onward
        raise self._refused(request.place, "it redirects in a circle")

    def _expect_manifest(self, answer: Answer, place: Place) -> None:
        if answer.status != HTTPStatus.OK:
            raise self._refused(place, f"it answers {answer}")
        if answer.content_type not in MANIFEST_TYPES:
            kind = answer.content_type[:100] or "something"
            raise self._refused(place, f"it sent {kind} instead of a manifest")

    def _refused(self, place: Place, why: str) -> StoppedError:
        return StoppedError(
            Code.REGISTRY_REFUSED,
            self._clean(place, f"{place.host} cannot be used for {place.repository}: {why}"),
            next_step="Check that the host is a registry and that its rules allow this.",
        )

    def _login_refused(self, request: Request, said: str, *, sent: bool) -> StoppedError:
        place = request.place
        wish = "push to" if request.writes else "pull from"
        login = "with the login for this host" if sent else "without a login"
        fact = f"{place.host} does not let us {wish} {place.repository} {login}: {said}"
        return StoppedError(Code.REGISTRY_REFUSED, self._clean(place, fact))

    def _unreachable(self, place: Place, why: str, *, next_step: str | None = None) -> StoppedError:
        return StoppedError(
            Code.REGISTRY_UNREACHABLE,
            self._clean(place, f"{place.host} did not answer for {place.repository}: {why}"),
            next_step=next_step,
        )

    def _clean(self, place: Place, text: str) -> str:
        login = self._logins.get(place.host)
        return Redactor([login.password] if login else []).clean(text)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
