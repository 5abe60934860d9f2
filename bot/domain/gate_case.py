"""What the gate's rules look at, and how they say no."""

from dataclasses import dataclass, replace

from bot.domain.calendar import Closed
from bot.domain.command import render
from bot.domain.gate_facts import Facts, Unknown
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.reasons import MEANINGS, Code, Reason


@dataclass(frozen=True)
class Case:
    """One environment's rules and the facts they are applied to."""

    environment: str
    rules: EnvironmentRules
    facts: Facts

    def command(self, ref: str | None = None) -> str:
        """What to type for the same with another ref; None: as it was asked."""
        asked = self.facts.command
        deploy = replace(asked, environment=self.environment, ref=ref or asked.ref)
        return f"`{self.facts.word} {render(deploy)}`"


def refusal(code: Code, fact: str, next_step: str | None = None) -> Reason:
    """A reason; without a next step of its own it has the code's."""
    return Reason(code, fact, next_step or MEANINGS[code].next_step)


def nobody_forces(environment: str) -> Reason:
    """That nobody may skip what can be skipped."""
    fact = f"{environment} lets nobody force a deployment"
    step = f"Name those who may under environments: {environment}: force in .pachops.yml."
    return refusal(Code.FORCE_NOT_ALLOWED, fact, step)


def unapproved(environment: str, needed: int) -> Reason:
    """That others were to approve, which force does not wait for."""
    approvals = "1 approval" if needed == 1 else f"{needed} approvals"
    fact = f"{environment} needs {approvals} by others"
    return refusal(Code.APPROVAL_MISSING, fact, "Have it approved: deploy without force.")


def closed_for(closed: Closed, environment: str) -> Reason:
    """That this is no time to deploy to the environment."""
    until = closed.until_text
    step = f"Deploy again from {until} on." if until else None
    if closed.period is not None:
        fact = f"{environment} is frozen: {closed.period}"
        return refusal(Code.ENVIRONMENT_FROZEN, fact, step)
    fact = f"{environment} is deployed to only {', or '.join(closed.hours)}"
    return refusal(Code.OUTSIDE_HOURS, fact, step)


def unknown(
    what: str, fact: Unknown, next_step: str | None = None, *, code: Code = Code.FACT_UNKNOWN
) -> Reason:
    """A fact that is needed and missing, with the call that should have given it."""
    return refusal(code, f"{what} is not known: {fact.call}: {fact.why}", next_step)
