"""A plan is data: ordered steps with their locks, limits, probes and undos. What is shown is what runs.

The plan file is this record, pretty-printed. The digest covers what will be done (steps, accepted names, inputs, ledger); not estimates,
times or statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from driftflow.model.catalog import Index
from driftflow.model.dependency import ColumnDependents
from driftflow.model.effects import Estimate, LockClaim
from driftflow.model.names import Name, Span
from driftflow.model.record import Record, digest, replace
from driftflow.model.tool_lock import ToolLock as ToolLock

PLAN_FORMAT = 1

Phase = Literal["expand", "migrate", "contract"]
PHASES: tuple[Phase, ...] = ("expand", "migrate", "contract")
Outcome = Literal["done", "not_done", "half_done", "again", "running", "unknown"]


class Probe(Record, frozen=True, kw_only=True):
    """How to learn whether a step already happened: a query returning one row, one text: done, not_done, half_done or again.

    `again` is for what may be done once more whether it happened or not. `repair` is run, one statement at a time and outside a transaction,
    when it says half_done; afterwards the step counts as not done.
    """

    query: str
    repair: tuple[str, ...] = ()
    first: bool = False
    """Asked before the first try too: another step of a way back may have done it already."""


class Ranges(Record, frozen=True, kw_only=True):
    """How a guard's question can be asked of one range of a key after another: all of it is SQL, quoted."""

    table: str
    """With the alias that `key` and `where` use."""
    key: str
    """One column, unique and never NULL; where rows are grouped, one by which an index sorts them, and that equal rows have in common."""
    where: str
    """What the rows that are counted have in common."""
    group: str = ""
    """For GROUP BY: groups of more than one row are counted, and not rows."""


class Guard(Record, frozen=True, kw_only=True):
    """What must hold just before a step: a query returning one row, one integer. `refuse_if` says which value stops the run; "never" only
    counts and tells."""

    query: str
    refuse_if: Literal["not_zero", "zero", "never"] = "not_zero"
    summary: str
    """What it means when it refuses, as a sentence: "2 orders have no tenant". `{count}` is replaced."""
    hint: str = ""
    cap_ms: int = 30_000
    """The longest that it may look, in milliseconds; then it refuses, or where it only tells, says that it does not know."""
    keys: str = ""
    """A query with the keys of a few of the rows that are meant, never their values; asked only when there are some."""
    ranges: Ranges | None = None
    """How it is asked where one query would read more rows than the policy allows (`probe_rows`)."""
    wait_ms: int = 0
    """How long it is asked again, once a second, before it refuses: what it is about ends by itself. It sees other sessions; who may not see them
    is told so, and goes on."""
    everywhere: bool = False
    """Whether every replica that is given has to say the same as the primary: what only reads leaves its traces where it reads."""


class UndoSteps(Record, frozen=True, kw_only=True, tag_field="undo", tag="steps"):
    """Run these, in this order, to take the step back."""

    steps: tuple[Step, ...]
    besides: str = ""
    """Why nothing is done about the rest of the step: "the server cannot remove the label"."""


class UndoNothing(Record, frozen=True, kw_only=True, tag_field="undo", tag="nothing"):
    """Nothing needs to be done, and why: "the column is dropped by the undo of step 2"."""

    reason: str


class Irreversible(Record, frozen=True, kw_only=True, tag_field="undo", tag="irreversible"):
    """Cannot be taken back. `name` is what a person accepts by name: `drop_column public.orders.legacy`."""

    reason: str
    name: str
    steps: tuple[Step, ...] = ()
    """What comes back all the same once the loss is accepted: the column without its values. Without any, the statement stays as it is."""
    stands_on: tuple[Span, ...] = ()
    """Earlier statements of the release that stay with it: the type that a column keeps, the default that went for it."""


Undo = UndoSteps | UndoNothing | Irreversible


class BaseStep(Record, frozen=True, kw_only=True, tag_field="kind"):
    """What every step says about itself."""

    id: str = ""
    """Ten hex digits of the step's content and its occurrence: `3f2a9c01d4.1`. Set by the planner (`with_id`)."""
    purpose: str
    """One sentence for a person: "Add orders.tenant_id, nullable"."""
    migration: str = ""
    span: Span | None = None
    strategy: str = ""
    phase: Phase = "expand"
    claims: tuple[LockClaim, ...] = ()
    lock_timeout_ms: int = 250
    statement_timeout_ms: int = 10_000
    """0 is no limit (an index build, a validation)."""
    guards: tuple[Guard, ...] = ()
    undo: Undo = UndoNothing(reason="nothing to undo")
    resolves: tuple[str, ...] = ()
    """Finding codes that this step's form answers."""
    estimate: Estimate | None = None
    indivisible: bool = True
    """False for a backfill, which can be paused between chunks."""


UNLOCK_TABLES = "UNLOCK TABLES"


class LockedWhenFree(Record, frozen=True, kw_only=True):
    """LOCK TABLES around a step's statements, where all that it takes is free at one moment; else the step goes without."""

    sql: str
    door: Name | None = None
    """Of several: the table that writers come by first, and by no other. They are kept out until the server asks for it."""
    beside: tuple[Name, ...]
    """What the step claims for these locks alone."""


class RunSql(BaseStep, frozen=True, kw_only=True, tag="run_sql"):
    """Statements in one transaction, together with the journal entry; or one statement outside any transaction."""

    statements: tuple[str, ...]
    transaction: Literal["own", "none"] = "own"
    probe: Probe | None = None
    """Only for transaction = none: without it the outcome after a crash is unknown."""
    role: str = ""
    """SET LOCAL ROLE for the statements, where it is not the connecting role."""
    settings: Mapping[str, str] = {}
    """SET LOCAL name = value before the statements (PostgreSQL)."""
    lock_tables: str = ""
    """MariaDB: the LOCK TABLES that stands around the statement, in the same session; whatever happens, UNLOCK TABLES follows."""

    locked_when_free: LockedWhenFree | None = None
    """MySQL, of a step that makes or drops triggers, or changes foreign keys of tables in use."""

    @property
    def script(self) -> tuple[str, ...]:
        """All that the session is sent, in order."""
        return (self.lock_tables, *self.statements, UNLOCK_TABLES) if self.lock_tables else self.statements


class BuildIndex(BaseStep, frozen=True, kw_only=True, tag="build_index"):
    """CREATE INDEX CONCURRENTLY, with what a half-built one needs. The catalog is its probe (pg_index.indisvalid and the definition)."""

    index: Index
    create_sql: str
    drop_sql: str


class CsvSource(Record, frozen=True, kw_only=True, tag_field="source", tag="csv"):
    """A CSV file with a header, UTF-8. `columns` are the header's names, in order."""

    path: str
    sha256: str
    columns: tuple[str, ...]
    delimiter: str = ","
    null: str = ""


class QuerySource(Record, frozen=True, kw_only=True, tag_field="source", tag="query"):
    """A query on another database, whose rows are loaded into the staging table. `url_env` names the environment variable that holds its URL."""

    sql: str
    sha256: str
    url_env: str
    columns: tuple[str, ...]


class Stage(BaseStep, frozen=True, kw_only=True, tag="stage"):
    """Load an external source into a staging table of ours (registered as debris before it is created; dropped by `DropStage` or `clean`)."""

    table: Name
    columns: tuple[tuple[str, str], ...]
    """(name, type)"""
    key: tuple[str, ...]
    """Unique in the source; checked after loading."""
    source: CsvSource | QuerySource


class PythonFunction(Record, frozen=True, kw_only=True):
    """A user's function `module:function`, called once per chunk with a list of dicts (the input columns and the key), returning a list of dicts
    of the same length: the columns to set. Where rows are judged, once per row with the input columns. `path` is put on sys.path; `sha256` is of the module's file."""

    reference: str
    path: str
    sha256: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class ChunkPolicy(Record, frozen=True, kw_only=True):
    """How big a chunk may be. Times are the wall time of the chunk's transaction."""

    target_ms: int = 150
    rows_first: int = 500
    rows_min: int = 10
    rows_max: int = 100_000
    rest_percent: int = 20
    """Sleep between chunks, in percent of the chunk's time (SQLite: 100, writers have no queue)."""


class Backfill(BaseStep, frozen=True, kw_only=True, tag="backfill"):
    """UPDATE (or DELETE) in chunks by keyset over `key`, upper bound fixed at the start, cursor committed with the rows.

    For an update, `assignments` are (column, expression) over the table's own columns and those of `from_clause`; `predicate` makes it
    idempotent (`tenant_id IS NULL`, `x IS DISTINCT FROM f(y)`) and is ANDed to the key range. With `counted` false there is none, and
    exactly-once rests on the journal alone (`balance = balance + 1`).
    """

    table: Name
    key: tuple[str, ...]
    """Columns of a unique, NOT NULL key; on SQLite `rowid` where there is no better."""
    action: Literal["update", "delete", "insert", "judge"] = "update"
    """insert: the rows' `assignments`, as new rows of `into`, leaving out those whose key is there. judge: nothing is changed, `function` says of
    each row whether it keeps a rule, and the step fails where one does not."""
    into: Name | None = None
    fresh: bool = False
    """insert: `into` holds none of the rows, and what changes meanwhile is copied again. So no row is locked, and a key that is there already
    is an error."""
    when_taken: tuple[str, ...] = ()
    """insert: in place of a chunk of which a unique value is there already; `{rows}` as in `before`."""
    assignments: tuple[tuple[str, str], ...] = ()
    from_clause: str = ""
    """`FROM staging AS s`, joined by `join`."""
    join: str = ""
    predicate: str = ""
    before: tuple[str, ...] = ()
    """Statements of each chunk's transaction ahead of its change (rows are archived there); `{rows}` stands for the chunk's range of keys."""
    after: tuple[str, ...] = ()
    """The same, behind the change."""
    queued: tuple[str, ...] = ()
    """Between the change and `after`, in a chunk of one row, where the last chunk was refused a lock: what waits for the row. Nothing is held then that
    somebody else could wait for."""
    function: PythonFunction | None = None
    chunk: ChunkPolicy = ChunkPolicy()
    rows_estimate: int | None = None
    remaining_query: str = ""
    """Counts what is left to do; must be zero afterwards, unless `partial`."""
    partial: bool = False
    """Rows without a counterpart in the source may stay as they are."""
    indivisible: bool = False
    role: str = ""
    settings: Mapping[str, str] = {}
    """As for RunSql, in every chunk: what the migration SET before the statement."""


class OnlineCopy(Record, frozen=True, kw_only=True):
    """How a rebuild copies while the application goes on writing: chunks along a key, and triggers on the old table that take every changed
    row out of the copy and note its key, to be copied again. So the copy never holds a row that the table does not hold."""

    key: tuple[str, ...]
    """Columns of the old table, under the same names in the new one: the rowid (or the column that is it), or the key of a WITHOUT ROWID table."""
    chunk: ChunkPolicy = ChunkPolicy(target_ms=35, rest_percent=100)
    missing: str
    """The table of keys to be copied again."""
    create_missing: str
    capture: tuple[tuple[str, str], ...]
    """(name, CREATE TRIGGER) on the old table, for as long as the copy lasts."""
    set_aside: str
    """The old table's name between the swap and its removal."""
    shield: tuple[tuple[str, str], ...] = ()
    """(name, CREATE TRIGGER) on the new table until the old one is removed: its rows go with the new ones, or its foreign keys would still hold
    on to rows that the application deletes."""
    orphans: tuple[tuple[str, str], ...] = ()
    """(sentence, condition over a row of the copy) of each new or changed foreign key: a copied row for which it is true points at nothing."""


class RebuildTable(BaseStep, frozen=True, kw_only=True, tag="rebuild_table"):
    """SQLite: the table made anew and copied, everything that hung on it restored; in one transaction, or with `online` in chunks and a swap.

    Source: SQLite documentation, "Making Other Kinds Of Table Schema Changes".
    """

    table: Name
    create_sql: str
    """CREATE TABLE of the new form under `temporary_name`."""
    temporary_name: str
    copy: tuple[tuple[str, str], ...]
    """(column of the new table, expression over the old one); implicit rowids are kept by a pair (rowid, rowid)."""
    drop_views: tuple[str, ...] = ()
    """Views that mention the table, dropped before the rename (DROP VIEW ...)."""
    restore: tuple[str, ...] = ()
    """CREATE INDEX, CREATE TRIGGER, CREATE VIEW, in order. A view or trigger that is there is made again as the file holds it by then."""
    outdated: tuple[str, ...] = ()
    """Those of them whose text here is from before a rename that an earlier step makes: SQLite follows it into the text that the file holds."""
    autoincrement: bool = False
    """Keep the sqlite_sequence value."""
    expected_sql: str = ""
    """The CREATE TABLE text that must be found in sqlite_schema before; another one means someone changed it."""
    rows_estimate: int | None = None
    foreign_keys_change: bool = True
    """False where no foreign key, and no column of one, is changed: then none can be broken, and none is checked again."""
    online: OnlineCopy | None = None
    """None copies in one transaction: for small tables, and for those that cannot be walked by a key."""
    swap_estimate: Estimate | None = None
    """Online: how long the swap holds writers up."""


class Walked(Record, frozen=True, kw_only=True):
    """A count that is asked of one range of keys after the other, each in a transaction of its own, and added up."""

    table: Name
    key: tuple[str, ...]
    chunk: ChunkPolicy = ChunkPolicy(rows_first=5_000)


class Expectation(Record, frozen=True, kw_only=True):
    """One thing that must be true: after `setup`, `query` returns exactly `expect`, or fails with one of `sqlstates`. Always rolled back."""

    summary: str
    setup: tuple[str, ...] = ()
    query: str
    expect: str | None = None
    """The single value as text."""
    sqlstates: tuple[str, ...] = ()
    walk: Walked | None = None
    """Then `{rows}` in the query stands for a chunk's range of keys."""

    @property
    def whole(self) -> str:
        """The query as it may be asked at once."""
        return self.query.replace("{rows}", "1 = 1") if self.walk is not None else self.query


class Verify(BaseStep, frozen=True, kw_only=True, tag="verify"):
    """Read-only checks of the result (tests of row-level security write, and are rolled back)."""

    expectations: tuple[Expectation, ...]


class Gate(BaseStep, frozen=True, kw_only=True, tag="gate"):
    """Wait until a person (or a later CI job) says that the world outside is ready."""

    name: str
    """What `driftflow gate open RUN NAME` takes; unique in the plan."""
    question: str
    checklist: tuple[str, ...] = ()
    question_back: str = ""
    """Asked when the run is taken back past the gate: the old application must be back before what it needs not know goes. Empty: not asked."""
    not_before: str = ""
    """A day (ISO 8601, by the server's clock in UTC): until then the gate stays shut, whoever opens it."""

    @property
    def name_back(self) -> str:
        """What opens it on the way back."""
        return f"{self.name}-back"


Step = RunSql | BuildIndex | Stage | Backfill | RebuildTable | Verify | Gate
"""The closed union of step kinds."""


class MigrationRef(Record, frozen=True, kw_only=True):
    """Which migration of which tool a plan carries out."""

    id: str
    source: str
    path: str
    checksum: str
    sha256: str
    name: str = ""


class Input(Record, frozen=True, kw_only=True):
    """An external input of the plan, pinned by content."""

    path: str
    sha256: str


class Plan(Record, frozen=True, kw_only=True):
    format: int = PLAN_FORMAT
    dialect: str
    server_version: str = ""
    database: str = ""
    """The database's name, for people; identity is checked by the journal."""
    migrations: tuple[MigrationRef, ...]
    relations: tuple[Name, ...] = ()
    """The lock footprint: what the run claims. Includes relations that the plan creates."""
    catalog_fingerprint: str
    """Of `fingerprint_relations`, as the plan found them."""
    fingerprint_relations: tuple[Name, ...] = ()
    steps: tuple[Step, ...]
    tool_lock: ToolLock | None = None
    requires: tuple[Guard, ...] = ()
    """What must hold before the run begins (a publication that would carry our tables, rights, ...)."""
    inputs: tuple[Input, ...] = ()
    accepted: tuple[str, ...] = ()
    """Names of irreversible steps that a person accepted."""
    estimate: Estimate | None = None
    longest_stall: Estimate | None = None
    """What the longest indivisible step that blocks writers or readers may cost them."""
    notes: tuple[str, ...] = ()
    dependents: tuple[ColumnDependents, ...] = ()
    """What depends on each column that is dropped."""
    made_with: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over what will be done."""
        bare = tuple(_without_estimates(step) for step in self.steps)
        return digest(
            replace(
                self,
                steps=bare,
                estimate=None,
                longest_stall=None,
                notes=(),
                dependents=(),
                made_with="",
                server_version="",
                database="",
            )
        )

    @property
    def point_of_no_return(self) -> str:
        """The id of the first step that cannot be undone; empty when every step can."""
        return next((step.id for step in self.steps if isinstance(step.undo, Irreversible)), "")

    def step(self, id: str) -> Step:
        return next(step for step in self.steps if step.id == id)


def _without_estimates(step: Step) -> Step:
    undo = step.undo
    if isinstance(undo, UndoSteps):
        undo = replace(undo, steps=tuple(_without_estimates(inner) for inner in undo.steps))
    bare = replace(step, estimate=None, undo=undo)
    if isinstance(bare, RebuildTable):
        return replace(bare, rows_estimate=None, swap_estimate=None)
    return replace(bare, rows_estimate=None) if isinstance(bare, Backfill) else bare


class PlanFile(Record, frozen=True, kw_only=True):
    """What stands in the file: the plan and its digest, so that an edited file is noticed."""

    digest: str
    plan: Plan
