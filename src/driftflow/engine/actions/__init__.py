"""One file per step kind: how to do it, how to learn whether it happened, how to repair what is half done."""

from __future__ import annotations

from typing import assert_never

from driftflow.engine.actions import backfill, build_index, rebuild_table, run_sql, stage, verify
from driftflow.engine.context import Context
from driftflow.model.plan import Backfill, BuildIndex, Gate, Outcome, RebuildTable, RunSql, Stage, Step, Verify


def perform(step: Step, context: Context) -> None:
    """Do it, StepStarted to StepDone. Raises DatabaseFault for what the server said, DriftflowError for what we say."""
    match step:
        case RunSql():
            run_sql.perform(step, context)
        case BuildIndex():
            build_index.perform(step, context)
        case Stage():
            stage.perform(step, context)
        case Backfill():
            backfill.perform(step, context)
        case RebuildTable():
            rebuild_table.perform(step, context)
        case Verify():
            verify.perform(step, context)
        case Gate():
            raise AssertionError("a gate is decided, not performed")
        case _:
            assert_never(step)


def probe(step: Step, context: Context) -> Outcome:
    """Whether it already happened. Its old session has been waited for."""
    match step:
        case RunSql():
            return run_sql.probe(step, context)
        case BuildIndex():
            return build_index.probe(step, context)
        case Stage():
            return stage.probe(step, context)
        case Backfill():
            return backfill.probe(step, context)
        case RebuildTable():
            return rebuild_table.probe(step, context)
        case Verify():
            return verify.probe(step, context)
        case Gate():
            return "not_done"
        case _:
            assert_never(step)


def repair(step: Step, context: Context) -> None:
    """Take away what is half done."""
    match step:
        case RunSql():
            run_sql.repair(step, context)
        case BuildIndex():
            build_index.repair(step, context)
        case RebuildTable():
            rebuild_table.repair(step, context)
        case _:
            raise AssertionError(f"{step.id} cannot be half done")


def may_finish(step: Step) -> bool:
    """Whether its statement, once sent, is let run to its end when the client is gone: an index build is hours of work."""
    return isinstance(step, BuildIndex) or (isinstance(step, RunSql) and step.transaction == "none")
