"""Test: each image's own command in a locked-down container, before anything is pushed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.plan import ImagePlan
from bot.domain.progress import Progress, Tested
from bot.domain.reasons import Code, StoppedError
from bot.services.docker import DockerEngine, TestOrder
from bot.services.together import together
from bot.stages.build import DEPLOYMENT_LABEL, Workshop

_KILLED = 137
"""128 and SIGKILL."""


@dataclass(frozen=True)
class TestResult:
    """What an image's test gave."""

    image: str
    exit_code: int
    seconds: float


async def test(
    images: Sequence[ImagePlan],
    deployment: str,
    workshop: Workshop,
    report: Callable[[Progress], None],
) -> tuple[TestResult, ...]:
    """Run the tests of the images that declare one.

    Containers that a killed bot left of this deployment are removed first.
    """
    docker = workshop.docker
    if docker is None:
        raise AssertionError
    await docker.remove_leftovers(deployment)
    places = asyncio.Semaphore(workshop.parallel)

    async def one(image: ImagePlan, command: tuple[str, ...]) -> TestResult:
        async with places:
            reference = image.built_as
            if workshop.buildx:
                # The very image that will be given out, as this engine's platform has it.
                await docker.pull(image.repository, image.untested_tag)
                reference = f"{image.repository}:{image.untested_tag}"
            return await _test_one(image, reference, command, deployment, docker, report)

    return tuple(await together(one(image, image.test) for image in images if image.test))


async def _test_one(
    image: ImagePlan,
    reference: str,
    command: tuple[str, ...],
    deployment: str,
    docker: DockerEngine,
    report: Callable[[Progress], None],
) -> TestResult:
    run = await docker.test(
        TestOrder(
            image=image.name,
            reference=reference,
            command=command,
            timeout=image.test_timeout,
            memory=image.test_memory,
            environment={},
            labels={DEPLOYMENT_LABEL: deployment},
        ),
        report,
    )
    report(Tested(image.name, run.exit_code, run.seconds, run.output_tail))
    place = f"image {image.name}"
    if run.timed_out:
        raise StoppedError(
            Code.TEST_TIMED_OUT, f"stopped after {image.test_timeout:.0f} s", where=place
        )
    if run.out_of_memory or run.exit_code == _KILLED:
        needs = f"more than {image.test_memory} of memory"
        # The engine may miss that memory was why (containerd#8893; on a busy machine 3 of 150).
        missed = f"it was killed (exit status {_KILLED}), most likely because it needed {needs}"
        raise StoppedError(
            Code.TEST_FAILED,
            f"the test needed {needs}" if run.out_of_memory else missed,
            where=place,
            next_step=f"Raise images: {image.name}: test_memory, or make the test smaller.",
        )
    if run.exit_code:
        last = next((line for line in reversed(run.output_tail) if line.strip()), "no output")
        raise StoppedError(
            Code.TEST_FAILED, f"exit status {run.exit_code}, last line: {last}", where=place
        )
    return TestResult(image.name, run.exit_code, run.seconds)
