"""A browser as far as forms, cookies and redirects go."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import aiohttp


@dataclass
class Form:
    """A form with what is filled in."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass
class Page:
    """What is shown."""

    url: str
    status: int
    headers: dict[str, str]
    html: str
    forms: list[Form]
    tags: list[str]
    text: str
    links: list[str]


class Browser:
    """Goes to pages and sends their forms; cookies are kept."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.page: Page | None = None

    async def open(self, url: str) -> Page:
        """Go there, redirects included."""
        return await self._ask("GET", url, None)

    async def send(self, **filled: str) -> Page:
        """Fill in the page's form and send it; redirects are followed."""
        assert self.page is not None
        (form,) = self.page.forms
        url = urljoin(self.page.url, form.action)
        return await self._ask("POST", url, form.fields | filled)

    async def post(self, url: str, **fields: str) -> Page:
        """Send a form that no page has."""
        return await self._ask("POST", url, fields)

    async def _ask(self, method: str, url: str, data: dict[str, str] | None) -> Page:
        headers = {"Origin": _origin(self.page.url if self.page else url)} if data else {}
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            html = await answer.text()
            reader = _Reader()
            reader.feed(html)
            text = " ".join(" ".join(reader.text).split())
            self.page = Page(
                str(answer.url),
                answer.status,
                dict(answer.headers),
                html,
                reader.forms,
                reader.tags,
                text,
                reader.links,
            )
            return self.page


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
