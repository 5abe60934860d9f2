"""What people see: the repository, its pull requests, and a place to comment.

The emulator has no such pages; all that they show is the emulator's, or what it lacks.
"""

import re
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from examples.demo.github.hub import GitHub
from examples.demo.github.lacking import Kept

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'"
LONGEST_COMMENT = 65536
_SHA = re.compile(r"(?<![\w/:`@.-])[0-9a-f]{40}(?![\w])")
_EMOJI = {"eyes": "👀", "rocket": "🚀", "-1": "👎", "+1": "👍", "confused": "😕", "hooray": "🎉"}
_STATES = {
    "success": "✅",
    "failure": "❌",
    "error": "❌",
    "cancelled": "⏹",
    "inactive": "▫️",
    None: "⏳",
}


class Pages:
    """Pages at GitHub's own addresses, so that links in reports lead to them."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self._templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
        self._templates.filters |= {"markdown": self._markdown, "ours": self._is_ours}
        self._templates.globals |= {
            "emoji": _EMOJI,
            "states": _STATES,
            "repository": hub.door.repository,
            "state": hub.door.lacking.state,
        }

    def add_to(self, app: web.Application) -> None:
        """Its routes."""
        root = f"/{self._hub.door.repository}"
        app.router.add_get("/", self._first)
        app.router.add_static("/static", Path(__file__).with_name("static"))
        app.router.add_get(root, self._repository)
        app.router.add_get(root + "/releases/tag/{tag:.+}", self._repository)
        app.router.add_get(root + r"/commit/{sha:[0-9a-f]+}", self._commit)
        app.router.add_get(root + r"/pull/{number:\d+}", self._pull)
        app.router.add_post(root + r"/pull/{number:\d+}", self._comment)

    async def _first(self, _request: web.Request) -> web.Response:
        place = f"/{self._hub.door.repository}"
        raise web.HTTPFound(place)

    async def _repository(self, _request: web.Request) -> web.Response:
        return self._page(
            "repository.html",
            pulls=await self._hub.pulls(),
            releases=await self._hub.releases(),
            deployments=list(reversed(self._hub.deployments())),
        )

    async def _commit(self, request: web.Request) -> web.Response:
        sha = request.match_info["sha"]
        title = self._hub.title(sha)
        if title is None:
            raise web.HTTPNotFound
        checks = await self._hub.checks(sha)
        notes = [await self._hub.annotations(each["id"]) for each in checks]
        return self._page(
            "commit.html", sha=sha, title=title, checks=list(zip(checks, notes, strict=True))
        )

    async def _pull(self, request: web.Request) -> web.Response:
        pull = await self._found(request)
        sha = pull["head"]["sha"]
        return self._page(
            "pull.html",
            pull=pull,
            people=self._hub.people,
            comments=await self._hub.comments(pull["number"]),
            reactions=self._hub.door.lacking.reactions,
            checks=await self._hub.checks(sha),
            deployments=[each for each in self._hub.deployments() if each["sha"] == sha],
        )

    async def _comment(self, request: web.Request) -> web.Response:
        # Another site's page in the same browser must not speak for Ada.
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden
        pull = await self._found(request)
        form = await request.post()
        body, by = str(form.get("body", "")).strip(), str(form.get("by", ""))
        if body and len(body) <= LONGEST_COMMENT and by in self._hub.people:
            await self._hub.comment(pull["number"], body.replace("\r\n", "\n"), by=by)
        raise web.HTTPSeeOther(request.path)

    async def _found(self, request: web.Request) -> Kept:
        pull = await self._hub.door.pull(int(request.match_info["number"]))
        if pull is None:
            raise web.HTTPNotFound
        return pull

    def _is_ours(self, comment: Kept) -> bool:
        return bool(comment["user"]["login"] == self._hub.door.lacking.author)

    def _page(self, template: str, **values: object) -> web.Response:
        text = self._templates.get_template(template).render(values)
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(text=text, content_type="text/html", headers=headers)

    def _markdown(self, text: str, *, html: bool = False) -> Markup:
        """Markdown as HTML, with commits as links.

        HTML within it stays only where it is the bot's, which escapes what it shows.
        """
        root = f"/{self._hub.door.repository}"
        text = _SHA.sub(lambda found: f"[`{found[0][:7]}`]({root}/commit/{found[0]})", text)
        renderer = MarkdownIt("commonmark", {"html": html, "breaks": True})
        rendered: str = renderer.enable(["table", "strikethrough"]).render(text)
        return Markup(rendered)  # noqa: S704 - see above
