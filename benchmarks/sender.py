"""Sends webhooks at a steady pace, whatever the answers take.

`python -m benchmarks.sender URL PER_SECOND`, with one JSON object for each on standard input
(`{"headers": {...}, "body": "..."}`); prints one for each: `{"status": 202, "seconds": 0.004}`.
"""

import asyncio
import json
import sys
import time

import aiohttp

TIMEOUT = 10.0
"""Seconds; GitHub does not wait longer."""


async def main(url: str, per_second: float) -> None:
    """Send them all; a time is measured from when it was to be sent."""
    deliveries = [json.loads(line) for line in sys.stdin]
    session = aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(TIMEOUT), connector=aiohttp.TCPConnector(limit=0)
    )
    async with session:
        begin = time.perf_counter() + 0.5

        async def send(number: int, headers: dict[str, str], body: str) -> dict[str, float]:
            due = begin + number / per_second
            await asyncio.sleep(due - time.perf_counter())
            try:
                async with session.post(url, data=body.encode(), headers=headers) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            return {"status": status, "seconds": time.perf_counter() - due}

        sending = (
            send(number, each["headers"], each["body"]) for number, each in enumerate(deliveries)
        )
        for answer in await asyncio.gather(*sending):
            print(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
