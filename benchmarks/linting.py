"""`lint` on ten thousand files beside squawk on the same files, in turns: wall time, cold, output as JSON to a file."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import corpus
from rounds import Sample, measured, spread

RATIO_LIMIT = 2.0
"""What is wanted is 1.0."""
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
    contenders = {"driftflow": lambda: _timed(ours, folder), "squawk": lambda: _timed(theirs, folder)}
    found = measured(contenders, rounds=rounds, prepare=lambda: None)
    one = next(source.glob("*.sql"))
    alone = [_timed([*ours[:4], str(one), *ours[5:]], folder)["seconds"] * 1000 for _ in range(max(rounds, 5))]
    return {
        "files": files,
        "statements": statements,
        "samples": found.samples,
        "medians": {name: found.median(name) for name in contenders},
        "ratio": spread(found.ratios("driftflow", "squawk")),
        "limit": RATIO_LIMIT,
        "one_file_ms": spread(alone),
        "one_file_limit_ms": ONE_FILE_LIMIT_MS,
        "memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def _timed(command: Sequence[str], folder: Path) -> Sample:
    """Findings are no failure: both exit 1 then."""
    with (folder / "lint.json").open("wb") as output:
        begun = time.perf_counter()
        done = subprocess.run(command, stdout=output, stderr=subprocess.DEVNULL, check=False)
        seconds = time.perf_counter() - begun
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}")
    return {"seconds": seconds}
