"""The turning points of a run, posted as JSON to a URL. Never in the way: a slow or dead receiver costs the run nothing."""

from __future__ import annotations

import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor, wait
from urllib.parse import urlsplit

from driftflow.errors import UsageError
from driftflow.model import event as events
from driftflow.model.event import AnyEvent
from driftflow.model.record import encode

POST_SECONDS = 3.0
FLUSH_SECONDS = 5.0
WAITING_MAX = 100
TOLD = (
    events.RunStarted,
    events.StepDone,
    events.StepUndone,
    events.StepFailed,
    events.OutcomeUnknown,
    events.GateReached,
    events.GateOpened,
    events.Paused,
    events.Resumed,
    events.Aborted,
    events.TakenOver,
    events.RunDone,
)


class Webhook:
    """Posts one after the other on a thread of its own; what could not be delivered is counted and told at the end."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise UsageError(
                "DF-E137", "the webhook is not an http or https URL", hint="--webhook https://hooks.example.com/driftflow"
            )
        self._url = url
        self._posting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="driftflow-webhook")
        self._sent: list[Future[None]] = []
        self._dropped = 0

    def __call__(self, event: AnyEvent) -> None:
        if not isinstance(event, TOLD):
            return
        if sum(not future.done() for future in self._sent) >= WAITING_MAX:
            self._dropped += 1
            return
        self._sent.append(self._posting.submit(self._post, encode(event)))

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "driftflow"}
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=POST_SECONDS):
            pass

    def problems(self) -> tuple[str, ...]:
        """Waits a moment for what is under way; says how many could not be delivered, and why the last one failed."""
        done, late = wait(self._sent, timeout=FLUSH_SECONDS)
        self._posting.shutdown(wait=False, cancel_futures=True)
        faults = [fault for future in done if (fault := future.exception()) is not None]
        missed = len(faults) + len(late) + self._dropped
        if not missed:
            return ()
        why = str(faults[-1]) if faults else "the receiver was too slow"
        return (f"{missed} of {len(self._sent) + self._dropped} webhook posts were not delivered: {why}",)
