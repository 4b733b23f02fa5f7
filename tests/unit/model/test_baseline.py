"""A baseline knows findings by rule, migration, statement and subject."""

from __future__ import annotations

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.baseline import Baseline, fingerprints, without_known
from driftflow.model.catalog import Catalog
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.record import decode, encode, replace

POSTGRESQL = dialect_named("postgresql")
TWO = "ALTER TABLE users DROP COLUMN a, DROP COLUMN b;"


def found(sql: str, *, only: str = "DF111") -> Assessment:
    statements = tuple(POSTGRESQL.parse(one) for one in POSTGRESQL.split(SourceText(text=sql, file="1.sql")))
    migration = Migration(
        id="1", source="plain", path="1.sql", dialect="postgresql", statements=statements, checksum="", sha256=""
    )
    catalog = Catalog(vendor="postgresql", search_path=("public",), complete=False)
    assessment = assess([migration], catalog=catalog, dialect=POSTGRESQL, policy=Policy())
    return replace(assessment, findings=tuple(one for one in assessment.findings if one.code == only))


def known(assessment: Assessment, *subjects: str) -> Baseline:
    whole = Baseline.of(assessment)
    return replace(whole, findings=tuple(one for one in whole.findings if one.subject in subjects))


def test_a_finding_is_known_by_what_it_speaks_of() -> None:
    assert [one.subject for one in Baseline.of(found(TWO)).findings] == ["users.a", "users.b"]


def test_findings_of_one_check_on_one_statement_do_not_stand_in_for_each_other() -> None:
    left, stale = without_known(found(TWO), known(found(TWO), "users.b"), file="known.json")
    assert [one.summary for one in left.findings] == ["users.a and its data are gone"] and stale == ()
    (silent,) = left.suppressed
    assert (silent.kind, silent.reason) == ("external", "known: it is in known.json")


def test_two_columns_of_a_new_table_are_two_subjects() -> None:
    sql = "CREATE TABLE t (id bigint PRIMARY KEY, payload json, extra json);"
    assert [one.subject for one in Baseline.of(found(sql, only="DF117")).findings] == ["t.extra.json", "t.json.payload"]


def test_an_entry_that_nothing_matches_is_said() -> None:
    nothing = replace(found(TWO), findings=found(TWO).findings[:1])
    left, stale = without_known(nothing, Baseline.of(found(TWO)), file="known.json")
    assert left.findings == () and [one.subject for one in stale] == ["users.b"]


def test_a_baseline_of_the_first_format_is_read_as_it_was_written() -> None:
    """Its entries have no subject: as many findings are known as there are entries."""
    whole = Baseline.of(found(TWO))
    old = Baseline(format=1, findings=tuple(replace(one, subject="") for one in whole.findings))
    left, stale = without_known(found(TWO), decode(encode(old), Baseline), file="known.json")
    assert (left.findings, stale) == ((), ())
    assert len(without_known(found(TWO), replace(old, findings=old.findings[:1]), file="known.json")[0].findings) == 1


def test_fingerprints_are_of_suppressed_findings_too() -> None:
    left, _ = without_known(found(TWO), known(found(TWO), "users.a"), file="known.json")
    marks = fingerprints(left)
    assert len(set(marks)) == 2
    assert set(marks) == set(fingerprints(found(TWO))), "being known changes no fingerprint"
