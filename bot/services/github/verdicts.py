"""What others say of a commit or a pull request, by REST: their checks and reviews."""

from urllib.parse import quote

from bot.domain.github import Check, Permission, PullRequest, ReviewState
from bot.domain.reasons import Code, StoppedError
from bot.services.github import branch_rules, checks
from bot.services.github.access import Access
from bot.services.github.branch_rules import BranchRules, Ruled
from bot.services.github.checks import Reported
from bot.services.github.facts import Facts
from bot.services.github.pull_request import opinions_by_rest
from bot.services.once import Once
from bot.services.together import both, together


class Verdicts(Facts):
    """Questions; each may be asked again without harm, and what a branch asks for is asked once."""

    def __init__(
        self, access: Access, owner: str, name: str, installation: int | None = None
    ) -> None:
        super().__init__(access, owner, name, installation)
        self._rules: dict[str, Once[BranchRules]] = {}

    async def checks(self, sha: str) -> tuple[Check, ...]:
        """Those of a commit, without our own; what its branch asks for is not known here."""
        own, reported = await both(self._access.own_checks(), self._reported(sha))
        return checks.others(reported, own)

    async def checks_of_head(self, pull: PullRequest) -> tuple[Check, ...]:
        """A pull request's, without our own, and what its base branch asks for and does not have."""
        if pull.checks is not None:
            return pull.checks
        own, (reported, required) = await both(
            self._access.own_checks(),
            both(self._reported(pull.head_sha), self.required_checks(pull)),
        )
        return checks.others(reported, own, required)

    async def required_checks(self, pull: PullRequest) -> frozenset[str]:
        """What its base branch asks for, without our own."""
        if pull.required_checks is not None:
            return pull.required_checks
        own, rules = await both(self._access.own_checks(), self._branch_rules(pull.base_ref))
        return own.without(rules.checks)

    async def review(self, pull: PullRequest) -> ReviewState:
        """Approved where nobody asks for changes and enough of those who approve may write.

        Errors: also github_refused where what the branch asks for cannot be judged by REST.
        """
        if pull.review is not None:
            return pull.review
        rules, (wants_changes, approving) = await both(
            self._branch_rules(pull.base_ref),
            self._ask(
                f"reading the reviews of pull request {pull.number}",
                lambda github: opinions_by_rest(github, self.full_name, pull.number, pull.head_sha),
            ),
        )
        if wants_changes:
            return ReviewState.CHANGES_REQUESTED
        permissions = await together(self.permission(login) for login in approving)
        count = sum(each >= Permission.WRITE for each in permissions)
        if count < max(rules.approvals, 1):
            return ReviewState.REQUIRED if rules.approvals else ReviewState.NONE
        if rules.unclear is not None:
            raise StoppedError(
                Code.GITHUB_REFUSED,
                f"whether {pull.base_ref} of {self.full_name} takes the approvals of pull request "
                f"{pull.number} is said by GraphQL alone, which does not answer: {rules.unclear}",
            )
        return ReviewState.APPROVED

    async def _reported(self, sha: str) -> tuple[Reported, ...]:
        runs, statuses = await both(
            self._ask(
                f"reading the checks of {sha}",
                lambda github: checks.runs_by_rest(github, self.full_name, sha),
            ),
            self._ask(
                f"reading the statuses of {sha}",
                lambda github: checks.statuses_by_rest(
                    github, f"{self._path}/commits/{sha}/status"
                ),
            ),
        )
        return (*runs, *statuses)

    async def _branch_rules(self, branch: str) -> BranchRules:
        asking = self._rules.setdefault(branch, Once(lambda: self._ask_branch_rules(branch)))
        return await asking.get()

    async def _ask_branch_rules(self, branch: str) -> BranchRules:
        path = f"{self._path}/branches/{quote(branch, safe='')}"
        found, ruled = await both(
            self._ask(
                f"reading the protection of {branch}",
                lambda github: branch_rules.read_branch(github, path),
            ),
            self._ask_ruled(branch),
        )
        return branch_rules.together(found, ruled)

    async def _ask_ruled(self, branch: str) -> Ruled:
        path = f"{self._path}/rules/branches/{quote(branch, safe='')}"
        # A server whose GraphQL does not know them either has none.
        asking = self._find if self._access.no_rulesets.is_known else self._ask
        found = await asking(
            f"reading the rules of {branch}", lambda github: branch_rules.read_ruled(github, path)
        )
        return found or ()
