"""What else listens to a run: JSON lines, a metrics file, a webhook. None of them can stop it."""

from __future__ import annotations

import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftflow.errors import UsageError
from driftflow.model import event as events
from driftflow.model.plan import Plan, RunSql
from driftflow.reports.event_lines import EventLines
from driftflow.reports.openmetrics import OpenMetrics
from driftflow.reports.webhook import Webhook

AT = {"run": "r1", "at": "2026-01-01T00:00:00.000000Z"}
PLAN = Plan(
    dialect="sqlite", migrations=(), catalog_fingerprint="f", steps=(RunSql(id="aa.1", purpose="x", statements=("SELECT 1",)),)
)
CHUNK = events.ChunkDone(**AT, step="aa.1", chunk=1, cursor=(1,), rows=10, rows_total=10)


def test_every_event_is_one_line_of_json() -> None:
    stream = io.StringIO()
    lines = EventLines(stream)
    for event in (events.RunStarted(**AT, plan_digest="d"), CHUNK):
        lines(event)
    assert [json.loads(line)["kind"] for line in stream.getvalue().splitlines()] == ["run_started", "chunk_done"]
    assert lines.problems() == ()


def test_a_broken_stream_stops_nothing_and_is_told() -> None:
    stream = io.StringIO()
    stream.close()
    lines = EventLines(stream)
    lines(CHUNK)
    assert "closed file" in lines.problems()[0]


def test_metrics_count_and_the_file_is_never_half(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "driftflow.prom"
    metrics = OpenMetrics(path, PLAN, clock=lambda: now)
    metrics(events.RunStarted(**AT, plan_digest="d"))
    metrics(CHUNK)
    assert "driftflow_rows_total{" not in path.read_text(), "a chunk within the second is not written yet"
    metrics(events.LockWaited(**AT, step="aa.1", attempt=1, timeout_ms=250, rest_ms=2500))
    metrics(events.Throttled(**AT, step="aa.1", signal="replica_lag", reading="7 s", wait_ms=1500))
    metrics(events.StepDone(**AT, step="aa.1"))
    metrics(events.RunDone(**AT))
    text = path.read_text()
    assert text.endswith("# EOF\n")
    for line in (
        'driftflow_run{run="r1",driftflow_run="done"} 1',
        'driftflow_run{run="r1",driftflow_run="running"} 0',
        'driftflow_steps_done{run="r1"} 1',
        'driftflow_rows_total{run="r1",step="aa.1"} 10',
        'driftflow_lock_waits_total{run="r1"} 1',
        'driftflow_throttled_seconds_total{run="r1"} 1.5',
    ):
        assert line in text.splitlines()
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, object]]]]:
    got: list[dict[str, object]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_turning_points_are_posted_and_chunks_are_not(receiver: tuple[str, list[dict[str, object]]]) -> None:
    url, got = receiver
    hook = Webhook(url)
    for event in (events.RunStarted(**AT, plan_digest="d"), CHUNK, events.RunDone(**AT)):
        hook(event)
    assert hook.problems() == ()
    assert [event["kind"] for event in got] == ["run_started", "run_done"]


def test_a_dead_receiver_is_told_at_the_end() -> None:
    hook = Webhook("http://127.0.0.1:9/")
    hook(events.RunDone(**AT))
    assert hook.problems()[0].startswith("1 of 1 webhook posts were not delivered")


def test_only_http_is_posted_to() -> None:
    with pytest.raises(UsageError, match="not an http"):
        Webhook("file:///etc/passwd")
