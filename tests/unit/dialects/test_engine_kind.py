"""A look-alike is named by what `version()` says."""

from __future__ import annotations

import pytest

from driftflow.dialects.postgresql.engine_kind import engine_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("PostgreSQL 16.4 (Debian 16.4-1.pgdg120+1) on x86_64-pc-linux-gnu, compiled by gcc", "postgresql"),
        ("CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)", "CockroachDB"),
        ("PostgreSQL 11.2-YB-2.20.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang", "YugabyteDB"),
        ("PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.12103", "Amazon Redshift"),
        ("PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:367)", "Greenplum"),
        ("PostgreSQL 13.0.0 on x86_64-pc-linux-gnu (RisingWave 1.7.0)", "RisingWave"),
        ("SomethingElse 1.0", "SomethingElse"),
        ("", "unknown"),
    ],
)
def test_kind(text: str, kind: str):
    assert engine_kind(text) == kind
