"""GitHub's stand-in as people see it: a repository, its pull requests, and a place to comment."""

import re
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from tests.standins.github.errors import ApiError
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import Comment, Issue, Repo
from tests.standins.github.website import Website

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


class Pages(Website):
    """Pages at GitHub's own addresses, so that links in reports lead to them."""

    def __init__(self, github: GitHubServer, people: tuple[str, ...]) -> None:
        super().__init__(github.world)
        self._github = github
        self._people = people
        self._templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
        self._templates.filters |= {"markdown": _markdown, "ours": self._ours}
        self._templates.globals |= {"emoji": _EMOJI, "states": _STATES}

    def add_to(self, app: web.Application) -> None:
        """Its routes."""
        super().add_to(app)
        app.router.add_get("/", self._first)
        app.router.add_static("/static", Path(__file__).with_name("static"))
        repository = r"/{owner}/{repo:[^/{}]+}"
        app.router.add_get(repository, self._repository)
        app.router.add_get(repository + "/releases/tag/{tag:.+}", self._repository)
        app.router.add_get(repository + r"/commit/{sha:[0-9a-f]+}", self._commit)
        app.router.add_get(repository + r"/pull/{number:\d+}", self._pull)
        app.router.add_post(repository + r"/pull/{number:\d+}", self._comment)

    async def _first(self, _request: web.Request) -> web.Response:
        msg = f"/{next(iter(self._world.repos))}"
        raise web.HTTPFound(msg)

    async def _repository(self, request: web.Request) -> web.Response:
        return self._page("repository.html", repo=self._repo(request))

    async def _commit(self, request: web.Request) -> web.Response:
        repo, sha = self._repo(request), request.match_info["sha"]
        title = repo.git.git("log", "-1", "--format=%s", sha, "--").decode().strip()
        return self._page(
            "commit.html", repo=repo, sha=sha, title=title, checks=self._github.checks(sha)
        )

    async def _pull(self, request: web.Request) -> web.Response:
        repo, pull = self._found(request)
        sha = getattr(pull, "head_sha", "")
        return self._page(
            "pull.html",
            repo=repo,
            pull=pull,
            people=self._people,
            comments=self._github.comments(pull),
            checks=self._github.checks(sha),
            deployments=[each for each in repo.deployments.values() if each.sha == sha],
        )

    async def _comment(self, request: web.Request) -> web.Response:
        # Another site's page in the same browser must not speak for Ada.
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden
        _, pull = self._found(request)
        form = await request.post()
        body, by = str(form.get("body", "")).strip(), str(form.get("by", ""))
        if body and len(body) <= LONGEST_COMMENT and by in self._people:
            await self._github.comment(pull, body.replace("\r\n", "\n"), by=by)
        raise web.HTTPSeeOther(request.path)

    def _repo(self, request: web.Request) -> Repo:
        try:
            return self._world.repo(f"{request.match_info['owner']}/{request.match_info['repo']}")
        except ApiError:
            raise web.HTTPNotFound from None

    def _found(self, request: web.Request) -> tuple[Repo, Issue]:
        repo = self._repo(request)
        try:
            return repo, self._world.issue(repo, int(request.match_info["number"]))
        except ApiError:
            raise web.HTTPNotFound from None

    def _ours(self, comment: Comment) -> bool:
        return comment.author is self._world.bot

    def _page(self, template: str, **values: object) -> web.Response:
        text = self._templates.get_template(template).render(values)
        headers = {"Content-Security-Policy": POLICY}
        return web.Response(text=text, content_type="text/html", headers=headers)


def _markdown(text: str, repo: Repo, *, html: bool = False) -> Markup:
    """Markdown as HTML, with commits as links.

    HTML within it stays only where it is the bot's, which escapes what it shows.
    """
    text = _SHA.sub(lambda found: f"[`{found[0][:7]}`](/{repo.full_name}/commit/{found[0]})", text)
    renderer = MarkdownIt("commonmark", {"html": html, "breaks": True})
    rendered: str = renderer.enable(["table", "strikethrough"]).render(text)
    return Markup(rendered)  # noqa: S704 - see above
