"""Records page views and learning events without keeping requests waiting.

`AnalyticsQueue.record` only puts an event into memory. A background thread,
started by the first event, writes them to the database in batches. When
events come faster than they can be written, the surplus is dropped and
counted: statistics must never slow down a lesson.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from typing import NamedTuple, Optional, Union

from config import Settings, log
from models import Database, timestamp, transaction

PAGE_VIEW = "page_view"
LOGIN = "login"
TASK_SUBMITTED = "task_submitted"
QUIZ_TAKEN = "quiz_taken"
IMPORTED = "imported"

CAPACITY = 10_000


class Event(NamedTuple):
    """Something that happened, in the order of the columns of `events`."""

    happened_at: str
    kind: str
    user_id: Optional[int]
    subject: str


class _Mark:
    """Put between events: set once everything before it is written."""

    def __init__(self, last: bool = False) -> None:
        self.reached = threading.Event()
        self.last = last


class AnalyticsQueue:
    """A bounded queue of events and the thread that empties it."""

    def __init__(
        self,
        database: Database,
        batch_size: int = 50,
        interval: float = 2.0,
        enabled: bool = True,
    ) -> None:
        self.database = database
        self.batch_size = batch_size
        self.interval = interval
        self.enabled = enabled
        self.dropped = 0
        self.written = 0
        self._queue: queue.Queue[Union[Event, _Mark]] = queue.Queue(CAPACITY)
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None

    @classmethod
    def from_settings(cls, settings: Settings, database: Database) -> AnalyticsQueue:
        """A queue with the batch size and interval of an installation."""
        return cls(
            database,
            settings.analytics_batch,
            settings.analytics_interval,
            settings.analytics,
        )

    @property
    def running(self) -> bool:
        """Whether the background thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    def record(
        self, kind: str, user_id: Optional[int] = None, subject: str = ""
    ) -> bool:
        """Note an event; False if it had to be dropped."""
        if not self.enabled:
            return False
        self._ensure_started()
        try:
            self._queue.put_nowait(Event(timestamp(), kind, user_id, subject))
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything recorded so far is written."""
        return self._send(_Mark(), timeout) if self.running else True

    def stop(self, timeout: float = 5.0) -> bool:
        """Write what is left and end the thread; the next event starts it anew."""
        with self._lock:
            thread = self._thread
            if thread is None or not thread.is_alive():
                return True
            done = self._send(_Mark(last=True), timeout)
            thread.join(timeout)
            self._thread = None
        return done

    def _ensure_started(self) -> None:
        if self.running:
            return
        with self._lock:
            if not self.running:
                self._thread = threading.Thread(
                    target=self._work, name="analytics", daemon=True
                )
                self._thread.start()

    def _send(self, mark: _Mark, timeout: float) -> bool:
        try:
            self._queue.put(mark, timeout=timeout)
        except queue.Full:
            return False
        return mark.reached.wait(timeout)

    def _work(self) -> None:
        connection = self.database.connect()
        try:
            while True:
                events, mark = self._collect()
                if events:
                    self._write(connection, events)
                if mark is not None:
                    mark.reached.set()
                    if mark.last:
                        return
        finally:
            connection.close()

    def _collect(self) -> tuple[list[Event], Optional[_Mark]]:
        """Sleep until there is an event, then gather a batch of them."""
        events: list[Event] = []
        item = self._queue.get()
        deadline = time.monotonic() + self.interval
        while True:
            if isinstance(item, _Mark):
                return events, item
            events.append(item)
            if len(events) >= self.batch_size:
                return events, None
            try:
                item = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return events, None

    def _write(self, connection: sqlite3.Connection, events: list[Event]) -> None:
        try:
            with transaction(connection):
                connection.executemany(
                    "INSERT INTO events (happened_at, kind, user_id, subject)"
                    " VALUES (?, ?, ?, ?)",
                    events,
                )
        except sqlite3.Error as error:
            self.dropped += len(events)
            log.warning("%d events could not be written: %s", len(events), error)
        else:
            self.written += len(events)
