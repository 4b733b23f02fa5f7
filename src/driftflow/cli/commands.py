"""Which commands there are: name → module, one line of help, chapter. A command's module is imported only when it is called."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """`module` is below `driftflow.cli` and holds `command`."""

    module: str
    help: str
    chapter: str


LOOK, PLAN, RUN, MORE = "Look", "Plan", "Run", "More"
CHAPTERS = (LOOK, PLAN, RUN, MORE)

COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "Find migrations and databases, write driftflow.toml", LOOK),
    "sources": Entry("sources", "What was found: migrations, applied, pending", LOOK),
    "lint": Entry("lint", "What is risky, without a database", LOOK),
    "assess": Entry("assess", "The same with the catalog of a database or a snapshot", LOOK),
    "effects": Entry("effects", "What one statement locks and does", LOOK),
    "doctor": Entry("doctor", "Rights, pooler, replicas, half-done states: what to type next", LOOK),
    "snapshot": Entry("snapshot", "Write the catalog to a file that stands in for the database", PLAN),
    "enhance": Entry("enhance", "Offer safer migration files, in the format of your own tool", PLAN),
    "plan": Entry("plan", "Make the plan of small safe steps, with its digest", PLAN),
    "show": Entry("show", "Show a plan file", PLAN),
    "compat": Entry("compat", "Which queries of the running application a plan breaks, and at which step", PLAN),
    "prove": Entry("prove", "Show on a throw-away server that a plan does what the migration does, and what it claims", PLAN),
    "apply": Entry("apply", "Run a plan", RUN),
    "resume": Entry("resume", "Go on with a run that was paused, interrupted or killed", RUN),
    "status": Entry("status", "The runs that this database knows", RUN),
    "watch": Entry("watch", "Follow a run from another terminal", RUN),
    "pause": Entry("pause", "Ask a run to pause at the end of its chunk", RUN),
    "throttle": Entry("throttle", "Ask a run to go slower or faster", RUN),
    "abort": Entry("abort", "Ask a run to stop for good", RUN),
    "gate": Entry("gate", "Open a gate that a run waits at", RUN),
    "rollback": Entry("rollback", "Take a run back", RUN),
    "clean": Entry("clean", "Remove what interrupted runs left behind", RUN),
    "demo": Entry("demo", "A guided run on a shop database, under writers", MORE),
    "list": Entry("list", "The checks, strategies, readers, writers, reports that are there", MORE),
    "explain": Entry("explain", "The page of a check or an error", MORE),
    "config": Entry("config", "Every setting, its value, and where it came from", MORE),
    "version": Entry("version", "The version of driftflow and of what it stands on", MORE),
}
