"""Deployments and how they stand."""

from bot.domain.github import Permission
from tests.standins.github import objects, shapes
from tests.standins.github.calls import Answer, Call, Routes
from tests.standins.github.errors import ApiError, not_found
from tests.standins.github.state import Deployment, DeploymentStatus

ROUTES = Routes()
READ = "deployments:read"
WRITE = "deployments:write"
LONGEST = 140
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


@ROUTES.add("GET", "/repos/{owner}/{repo}/deployments", READ)
def list_deployments(call: Call) -> Answer:
    found = [
        each
        for each in reversed(call.repo.deployments.values())
        if all(
            getattr(each, name) == call.query[name]
            for name in ("sha", "ref", "environment", "task")
            if name in call.query
        )
    ]
    return call.page(found, lambda each: shapes.deployment(call.world, call.repo, each))


@ROUTES.add("POST", "/repos/{owner}/{repo}/deployments", WRITE, role=Permission.WRITE)
def create_deployment(call: Call) -> Answer:
    fields = call.fields("Deployment")
    ref = fields.text("ref")
    sha = objects.resolve(call.repo.git, ref)
    if sha is None:
        raise ApiError(422, f"No ref found for: {ref}")
    merges = fields.flag("auto_merge", default=True)
    contexts = fields.anything("required_contexts", None)
    environment = fields.text("environment", "production")
    made = Deployment(
        call.world.new_id(),
        sha,
        ref,
        environment,
        fields.limited("description", LONGEST, ""),
        fields.anything("payload", {}),
        fields.text("task", "deploy"),
        fields.flag("transient_environment", default=False),
        fields.flag("production_environment", default=environment == "production"),
        call.caller.user,
        call.world.clock.tick(),
    )
    fields.end()
    _refuse_conflicts(call, sha, merges=merges, contexts=contexts)
    call.repo.deployments[made.id] = made
    return Answer(shapes.deployment(call.world, call.repo, made), 201)


@ROUTES.add("GET", "/repos/{owner}/{repo}/deployments/{deployment}", READ)
def show_deployment(call: Call) -> Answer:
    return Answer(shapes.deployment(call.world, call.repo, _deployment(call)))


@ROUTES.add("GET", "/repos/{owner}/{repo}/deployments/{deployment}/statuses", READ)
def list_statuses(call: Call) -> Answer:
    found = _deployment(call).statuses[::-1]
    return call.page(found, lambda each: shapes.deployment_status(call.world, each))


@ROUTES.add(
    "POST",
    "/repos/{owner}/{repo}/deployments/{deployment}/statuses",
    WRITE,
    role=Permission.WRITE,
)
def create_status(call: Call) -> Answer:
    found = _deployment(call)
    fields = call.fields("DeploymentStatus")
    log = fields.text("log_url", "") or fields.text("target_url", "")
    made = DeploymentStatus(
        call.world.new_id(),
        fields.choice("state", STATES),
        fields.limited("description", LONGEST, ""),
        log,
        fields.text("environment_url", ""),
        call.caller.user,
        call.world.clock.tick(),
    )
    fields.flag("auto_inactive", default=True)
    fields.end()
    found.statuses.append(made)
    return Answer(shapes.deployment_status(call.world, made), 201)


def _deployment(call: Call) -> Deployment:
    found = call.repo.deployments.get(call.number("deployment"))
    if found is None:
        raise not_found()
    return found


def _refuse_conflicts(call: Call, sha: str, *, merges: bool, contexts: object) -> None:
    """What GitHub does by default, which hardly anybody wants."""
    git = call.repo.git
    default = objects.branch(git, call.repo.default_branch)
    compared = objects.compare(git, default, sha) if default else None
    if merges and compared and compared.behind:
        raise ApiError(409, f"Conflict merging {call.repo.default_branch} into {sha}.")
    wanted = {each.name: each for each in call.repo.checks.values() if each.sha == sha}
    failing = [name for name, each in wanted.items() if each.conclusion != "success"]
    if contexts is None and failing:
        raise ApiError(409, f"Conflict: Commit status checks failed for {sha}.")
