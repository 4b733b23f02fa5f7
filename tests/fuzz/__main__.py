"""Coverage-guided fuzzing of splitters, parsers, checks and reports: `make fuzz FUZZ_SECONDS=60`.

One target per process (a crash of the grammar's C library ends it): `python tests/fuzz TARGET --seconds N`. Without a target every one runs in turn.
What is found is written to .cache/fuzz/TARGET, as text that `python tests/fuzz TARGET FILE` runs again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "fuzz"
SEEDS = (
    "tests/property/postgresql_statements.sql",
    "tests/unit/dialects/sqlite/corpus.sql",
    "tests/golden/**/*.sql",
    "examples/**/*.sql",
    "docs/checks/**/*.md",
)
MEMORY_MB, SECONDS_MAX, LENGTH_MAX = 2_048, 20, 4_096
"""Of one input: what is more is found too."""


def targets() -> dict[str, Callable[[str], object]]:
    """Imported late: what atheris is to see is imported under its eyes."""
    from fuzz import promises

    found: dict[str, Callable[[str], object]] = {"readers": promises.files}
    for name in promises.DIALECTS:
        found[f"split-{name}"] = lambda text, name=name: promises.cut(name, text)
        found[f"lint-{name}"] = lambda text, name=name: promises.lint(name, text)
    return found


NAMES = ("readers", *(f"{what}-{name}" for what in ("split", "lint") for name in ("postgresql", "mysql", "mariadb", "sqlite")))


def seeds(folder: Path) -> Path:
    """One file per statement-sized piece of every SQL text of the project."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = {
        piece.strip()
        for pattern in SEEDS
        for path in sorted(ROOT.glob(pattern))
        for piece in path.read_text(encoding="utf-8").split("\n\n" if path.suffix == ".md" else "\n")
        if piece.strip()
    }
    for number, piece in enumerate(sorted(pieces)):
        (folder / f"{number:05}").write_text(piece, encoding="utf-8")
    return folder


def words(file: Path) -> Path:
    """The words that the grammars know, for the mutator."""
    from driftflow.dialects.mysql.keywords import RESERVED as MYSQL
    from driftflow.dialects.sqlite.keywords import RESERVED as SQLITE

    marks = (
        "$$",
        "/*",
        "*/",
        "/*!",
        "--",
        "\\'",
        "''",
        "::",
        "DELIMITER //",
        "BEGIN ATOMIC",
        "COPY t FROM stdin;",
        "\\.",
        "CONCURRENTLY",
    )
    directives = ("-- driftflow: ", "ignore DF104", "file", "backfill column=a set=1", "reason=", "gate", "archive")
    known = sorted({*MYSQL, *SQLITE, *marks, *directives})
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in known)
    file.write_text("".join('"' + line + '"\n' for line in lines), encoding="utf-8")
    return file


def fuzz(target: str, *, seconds: int, again: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["driftflow"]):
        run = targets()[target]
        run("CREATE TABLE t (a integer PRIMARY KEY); ALTER TABLE t ADD COLUMN b text; SELECT 1;")  # what is imported on first use

    def one(data: bytes) -> None:
        run(data.decode("utf-8", errors="replace"))

    found = CACHE / target
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-timeout={SECONDS_MAX}",
        f"-max_len={LENGTH_MAX}",
        f"-dict={words(CACHE / 'words')}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    places = again or [str(found / "corpus"), str(seeds(CACHE / "seeds"))]
    atheris.Setup([sys.argv[0], *options, *places], one)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=NAMES)
    parser.add_argument("again", nargs="*", help="files that were found, to run once more")
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    if asked.target:
        sys.path[:0] = [str(ROOT / "tests")]
        fuzz(asked.target, seconds=asked.seconds, again=asked.again)
        return 0
    failed = []
    for name in NAMES:
        print(f"fuzz {name} for {asked.seconds} s", flush=True)
        done = subprocess.run([sys.executable, __file__, name, "--seconds", str(asked.seconds)], check=False)
        failed += [name] if done.returncode else []
    print(f"found something: {', '.join(failed)} (see {CACHE})" if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
