"""Every error that driftflow raises on purpose, and the exit code that each one means.

    DriftflowError            code, summary, where, why, hint; one shape on the terminal and in JSON
    ├── UsageError            2   the command line
    ├── ConfigError           2   driftflow.toml, environment, URL
    ├── SourceError           2   a migration folder or file that cannot be read as what it claims to be
    │   └── ParseError        2   SQL that the server's own grammar or the splitter rejects; carries a position
    ├── PlanFileError         2   a plan or snapshot file that is not readable, not ours, or was edited
    ├── RefusedError          3   policy, approval, an irreversible step, a plan made for another schema
    │   └── LeaseLostError    3   another executor holds the run, or the fence moved
    ├── PausedError           4   paused or interrupted at a safe point; resumable
    ├── OutcomeUnknownError   5   nobody can say whether a step happened; a human must look
    ├── DatabaseError         6   the database said no; state known
    │   ├── ConnectError      6   not reachable, wrong password, no such database
    │   ├── RightsError       6   too few rights; the hint holds the exact GRANT
    │   ├── LockTimeoutError  6   a lock was not granted in time; names the blockers
    │   └── StepFailedError   6   a step failed and was rolled back
    ├── JournalError          6   the journal is newer, damaged, or belongs to another server
    └── PluginError           2   an extension that cannot be loaded

Codes are stable and documented: `DF-E` and three digits; the first digit is the room
(1 usage and config, 2 sources and SQL, 3 plan and policy, 4 connection and catalog, 5 engine, 6 journal, 9 ours).
"""

from __future__ import annotations

from typing import Final


def printable(text: str) -> str:
    """The text with what no encoding can write (bytes of a file name that are not UTF-8) as `\\xe9`."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class DriftflowError(Exception):
    """An error with one shape: what happened, where, why, and the next command to type.

    `where` is text already rendered for a person (`migrations/001.sql:3:14`), never an object.
    """

    exit_code: int = 70

    def __init__(self, code: str, summary: str, *, where: str = "", why: str = "", hint: str = "") -> None:
        super().__init__(summary)
        self.code: Final = code
        self.summary: Final = printable(summary)
        self.where: Final = printable(where)
        self.why: Final = printable(why)
        self.hint: Final = printable(hint)

    def __str__(self) -> str:
        """The plain rendering; the reports may colour it."""
        lines = [f"error[{self.code}] {self.summary}"]
        lines += [f"  at {line}" if index == 0 else f"     {line}" for index, line in enumerate(self.where.splitlines())]
        lines += [f"  because {self.why}"] if self.why else []
        lines += [f"  hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str | int]:
        """The JSON form printed by commands with `--format json`."""
        return {
            "code": self.code,
            "summary": self.summary,
            "where": self.where,
            "why": self.why,
            "hint": self.hint,
            "exit_code": self.exit_code,
        }


class UsageError(DriftflowError):
    exit_code = 2


class ConfigError(DriftflowError):
    exit_code = 2


class SourceError(DriftflowError):
    exit_code = 2


class ParseError(SourceError):
    """SQL that the server's grammar rejects. `where` is `file:line:column` followed by the excerpt with a caret."""


class PlanFileError(DriftflowError):
    exit_code = 2


class PluginError(DriftflowError):
    exit_code = 2


class RefusedError(DriftflowError):
    exit_code = 3


class LeaseLostError(RefusedError):
    pass


class PausedError(DriftflowError):
    exit_code = 4


class OutcomeUnknownError(DriftflowError):
    exit_code = 5


class DatabaseError(DriftflowError):
    exit_code = 6


class ConnectError(DatabaseError):
    pass


class RightsError(DatabaseError):
    pass


class LockTimeoutError(DatabaseError):
    pass


class StepFailedError(DatabaseError):
    pass


class JournalError(DatabaseError):
    pass
