"""Group commit: events that arrive while the disk is busy are written together, with one sync for all of them.

A sync to disk takes milliseconds however many events it covers. Taught in 07_deployment.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from course_lib.serving.monitor import Monitor
from course_lib.serving.store import Event, EventStore, Receipt, StoreBusy, StoreError

T = TypeVar("T")
MAX_BATCH, MAX_WAITING = 256, 10_000


class GroupWriter:
    """The one place that writes to a store; the store's write connection is used by one thread at a time.

    Parameters
    ----------
    store : EventStore
    monitor : Monitor
    """

    def __init__(self, store: EventStore, monitor: Monitor) -> None:
        self.store, self.monitor = store, monitor
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._waiting: list[tuple[Event, asyncio.Future[Receipt]]] = []
        self._drain_task: asyncio.Task[None] | None = None

    async def append(self, event: Event) -> Receipt:
        """Return when the event is on the disk.

        Raises
        ------
        StoreError
            Nothing was written.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise StoreBusy(f"{MAX_WAITING:,} events wait for the disk: send it again")
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((event, future))
        if self._drain_task is None or self._drain_task.done():
            self._drain_task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                receipts = await self.run(self.store.append, [event for event, _ in batch])
            except StoreError as error:
                for _, future in batch:
                    if not future.done():  # its client has gone
                        future.set_exception(error)
                continue
            self.monitor.commits.inc()
            self.monitor.events.inc(sum(receipt.created for receipt in receipts))
            for (_, future), receipt in zip(batch, receipts, strict=True):
                if not future.done():
                    future.set_result(receipt)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Any other work that writes, in the writer's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def close(self) -> None:
        """Wait for the last write."""
        self._thread.shutdown(wait=True)
