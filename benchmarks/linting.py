"""`lint` on ten thousand files beside squawk on the same files, in turns: wall time, cold and again, output as JSON to a file."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import corpus
from rounds import Sample, measured, spread

RATIO_LIMIT = 2.0
"""What is wanted is 1.0."""
AGAIN_LIMIT = 0.2
ONE_FILE_LIMIT_MS = 150


def run(*, files: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Raises RuntimeError where squawk is not installed: it is among the development packages."""
    squawk = shutil.which("squawk", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if squawk is None:
        raise RuntimeError("squawk is not installed: make setup")
    source = folder / "corpus"
    source.mkdir()
    statements = corpus.write(source, files=files)
    ours = [sys.executable, "-m", "driftflow", "lint", str(source), "--dialect", "postgresql", "--format", "json", "-q"]
    theirs = [squawk, "--reporter", "json", f"{source}/*.sql"]
    cold, warm = ({**_compiled(folder), "DRIFTFLOW_CACHE": kept} for kept in ("off", str(folder / "answers")))
    _timed(ours, folder, cold)  # compiles our modules, as an installation does
    time.sleep(2)  # what has just been written is not kept
    _timed(ours, folder, warm)
    contenders = {
        "driftflow": lambda: _timed(ours, folder, cold),
        "driftflow again": lambda: _timed(ours, folder, warm),
        "squawk": lambda: _timed(theirs, folder, dict(os.environ)),
    }
    found = measured(contenders, rounds=rounds, prepare=lambda: None)
    one = next(source.glob("*.sql"))
    alone = [_timed([*ours[:4], str(one), *ours[5:]], folder, cold)["seconds"] * 1000 for _ in range(max(rounds * 4, 20))]
    return {
        "files": files,
        "statements": statements,
        "samples": found.samples,
        "medians": {name: found.median(name) for name in contenders},
        "ratio": spread(found.ratios("driftflow", "squawk")),
        "cpu_ratio": spread(found.ratios("driftflow", "squawk", "cpu_seconds")),
        "limit": RATIO_LIMIT,
        "again": spread(found.ratios("driftflow again", "squawk")),
        "again_limit": AGAIN_LIMIT,
        "one_file_ms": {**spread(alone), "p95": round(sorted(alone)[len(alone) * 95 // 100 - 1], 1)},
        "one_file_limit_ms": ONE_FILE_LIMIT_MS,
        "memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def _compiled(folder: Path) -> dict[str, str]:
    """The environment, with our modules compiled as an installed package has them, whatever this machine says of that."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _timed(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Sample:
    """Findings are no failure: both exit 1 then."""
    with (folder / "lint.json").open("wb") as output:
        before, begun = _cpu_seconds(), time.perf_counter()
        done = subprocess.run(command, stdout=output, stderr=subprocess.DEVNULL, env=environment, check=False)
        seconds = time.perf_counter() - begun
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
    return {"seconds": seconds, "cpu_seconds": _cpu_seconds() - before}


def _cpu_seconds() -> float:
    """Of all processes that have ended. It says more than wall time on a machine that others use."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
