"""An executor in a process of its own, to be killed: python engine_child.py URL FOLDER [slow]."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from engine_plans import postgresql_plan, sqlite_plan
from engine_rig import RunOptions, arguments, fingerprinted
from mysql_plans import mysql_plan

from driftflow.engine.clock import SystemClock
from driftflow.engine.run import StopSignal, run_plan
from driftflow.errors import DriftflowError
from driftflow.model.plan import Plan, RunSql
from driftflow.model.record import replace

EXIT = {"done": 0, "paused": 4}


def the_plan(url: str, folder: Path, *, sleep: bool = False) -> Plan:
    if url.startswith(("mysql", "mariadb")):
        return mysql_plan(url, folder)
    plan = sqlite_plan(folder) if url.startswith("sqlite") else postgresql_plan(folder)
    if sleep:
        step = RunSql(id="sleep", purpose="Sleep", statements=("SELECT pg_sleep(60)",), statement_timeout_ms=0)
        plan = replace(plan, steps=(step,))
    return plan


def main(url: str, folder: Path, mode: str) -> int:
    plan = the_plan(url, folder, sleep=mode == "sleep")
    fresh = Path(folder, "fingerprint")
    if not fresh.exists():
        fresh.write_text(fingerprinted(url, plan).catalog_fingerprint)
    plan = replace(plan, catalog_fingerprint=fresh.read_text())

    def told(event: Any) -> None:
        print(type(event).__name__, flush=True)
        time.sleep(0.01)

    stop = StopSignal()
    options = RunOptions(open_gates=("deployed",), lease_seconds=2)
    try:
        with stop.listening():
            report = run_plan(plan, **arguments(url, clock=SystemClock(), listener=told, options=options, stop=stop))
    except DriftflowError as error:
        print(error, flush=True)
        return error.exit_code
    print(report.state, flush=True)
    return EXIT.get(report.state, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""))
