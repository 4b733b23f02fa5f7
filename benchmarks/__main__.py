"""`python benchmarks`: every figure in one run, on servers that it starts itself. Needs about 2 GB of disk and some minutes.

The table goes to the terminal, everything (each sample of each round) to benchmarks/results.json. docs/benchmarks.md says what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import backfill_postgresql
import backfill_sqlite
import fingerprints
import linting
import reading
import rebuild
import stalls
import table

from driftflow import __version__
from driftflow.demo.shop import Size
from driftflow.lab.postgresql import start

PARTS = ("postgresql", "sqlite", "stalls", "rebuild", "catalog", "fingerprints", "lint", "start")
VERSION = 18


def main() -> int:
    options = _options()
    wanted = options.only or list(PARTS)
    results: dict[str, Any] = {"machine": machine(), "rounds": options.rounds}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="driftflow-bench-") as folder, start(VERSION, durable=True) as server:
        for part in wanted:
            print(f"measuring: {part}", file=sys.stderr, flush=True)
            results[part] = _measure(part, options, server, Path(folder))
    results["benchmark_seconds"] = round(time.perf_counter() - begun)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    print(table.render(results))
    print(f"every sample: {options.output}")
    return 0


def _measure(part: str, options: argparse.Namespace, server: Any, folder: Path) -> dict[str, Any]:
    match part:
        case "postgresql":
            return backfill_postgresql.run(server, rows=options.rows, rounds=options.rounds, folder=folder)
        case "sqlite":
            return backfill_sqlite.run(rows=options.rows, rounds=options.rounds, folder=folder)
        case "stalls":
            return _stalls(options.orders, server, folder)
        case "rebuild":
            return rebuild.run(rows=options.rebuilt_rows, rounds=options.rounds, folder=folder)
        case "catalog":
            return reading.catalog(server, tables=options.tables, rounds=options.rounds)
        case "fingerprints":
            return fingerprints.run(server, tables=options.tables // 4, rounds=options.rounds)
        case "lint":
            return linting.run(files=options.files, rounds=options.rounds, folder=folder)
        case _:
            return reading.start(max(options.rounds, 5))


def _stalls(orders: int, server: Any, folder: Path) -> dict[str, Any]:
    size = Size(orders=orders, users=max(orders // 10, 100), products=max(orders // 100, 100), tenants=40)
    numbers = count()

    def new_file() -> str:
        file = folder / f"shop{next(numbers)}.db"
        file.touch()
        return f"sqlite:///{file}"

    return {
        "postgresql": stalls.run(lambda: server.create_database(f"shop{next(numbers)}"), size=size, folder=folder),
        "sqlite": stalls.run(new_file, size=size, folder=folder),
    }


def machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "driftflow": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load_before": [round(load, 1) for load in os.getloadavg()],
        "postgresql": VERSION,
        "sqlite": sqlite3.sqlite_version,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table that is backfilled")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--orders", type=int, default=200_000, help="of the shop that the writer writes to")
    parser.add_argument("--rebuilt-rows", type=int, default=300_000, help="of the table that is rebuilt on MariaDB and MySQL")
    parser.add_argument("--tables", type=int, default=2_000)
    parser.add_argument("--files", type=int, default=10_000, help="of the corpus that is linted")
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
