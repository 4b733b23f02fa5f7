"""URLs: what is accepted, what is shown, and that a secret never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.dialects.base import ErrorKind
from driftflow.drivers.mysql_place import completed, place_of
from driftflow.drivers.postgresql_session import untouchable
from driftflow.drivers.sqlite import error_kind, translated
from driftflow.drivers.urls import connector_for, parse_url, source_connector
from driftflow.errors import ConfigError, UsageError

SECRET = "s3cr3t-%40-word"


@pytest.mark.parametrize(
    ("url", "dialect", "text", "display"),
    [
        ("sqlite:///shop.db", "sqlite", "shop.db", "sqlite:///shop.db"),
        ("sqlite:////var/shop.db", "sqlite", "/var/shop.db", "sqlite:////var/shop.db"),
        ("sqlite+pysqlite:///a%20b.db", "sqlite", "a b.db", "sqlite:///a b.db"),
        ("file:shop.db?mode=ro", "sqlite", "file:shop.db?mode=ro", "file:shop.db?mode=ro"),
        ("postgres://u@h:5433/d", "postgresql", "postgresql://u@h:5433/d", "postgresql://u@h:5433/d"),
        (f"postgresql+psycopg://u:{SECRET}@h/d", "postgresql", f"postgresql://u:{SECRET}@h/d", "postgresql://u@h/d"),
        (
            f"postgresql://u@/d?host=/tmp&password={SECRET}",
            "postgresql",
            f"postgresql://u@/d?host=/tmp&password={SECRET}",
            "postgresql://u@/d?host=/tmp",
        ),
        ("postgresql://u@[::1]:5432/d", "postgresql", "postgresql://u@[::1]:5432/d", "postgresql://u@[::1]:5432/d"),
    ],
)
def test_accepted(url: str, dialect: str, text: str, display: str) -> None:
    parsed = parse_url(url)
    assert (parsed.dialect, parsed.text, parsed.display) == (dialect, text, display)
    assert SECRET not in repr(parsed) and SECRET not in str(parsed) and SECRET not in f"{parsed}"
    assert SECRET not in repr(connector_for(url)) + connector_for(url).display


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("shop.db", "DF-E110"),
        ("oracle://h/d", "DF-E110"),
        (f"mysql://u:{SECRET}@h:port/d", "DF-E112"),
        (f"mysql://u:{SECRET}@h/d?ssl_mode=MAYBE", "DF-E118"),
        (f"postgresql://u:{SECRET}@h:port/d", "DF-E112"),
        (f"postgresql://u:{SECRET}@[h/d", "DF-E112"),
        ("sqlite://shop.db", "DF-E113"),
        ("sqlite://", "DF-E113"),
        ("sqlite:///:memory:", "DF-E114"),
    ],
)
def test_refused_without_repeating_the_secret(url: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(url)
    assert caught.value.code == code
    assert SECRET not in str(caught.value) and "s3cr3t" not in str(caught.value)


def test_the_password_command_is_never_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        connector_for("postgresql://h/d", password_command=f"sh -c 'echo {SECRET} >&2; exit 3'")
    assert caught.value.code == "DF-E116" and SECRET not in str(caught.value) and "exit code 3" in str(caught.value)
    connector = connector_for("postgresql://h/d", password_command=f"echo {SECRET}")
    assert SECRET not in repr(connector)


def test_a_source_database_is_named_by_its_variable() -> None:
    with pytest.raises(UsageError) as caught:
        source_connector("ERP_URL", environment={})
    assert caught.value.code == "DF-E115"
    assert source_connector("ERP_URL", environment={"ERP_URL": "sqlite:///x.db"}).display == "sqlite:///x.db"


def test_placeholders() -> None:
    assert translated("a = %s AND b LIKE '%%x'") == "a = ? AND b LIKE '%x'"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_BUSY_SNAPSHOT", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_LOCKED_SHAREDCACHE", ErrorKind.LOCK_TIMEOUT),
        ("SQLITE_CONSTRAINT_NOTNULL", ErrorKind.CONSTRAINT),
        ("SQLITE_CONSTRAINT_UNIQUE", ErrorKind.DUPLICATE),
        ("SQLITE_READONLY_DBMOVED", ErrorKind.READ_ONLY),
        ("SQLITE_FULL", ErrorKind.DISK_FULL),
        ("SQLITE_INTERRUPT", ErrorKind.CANCELLED),
        ("SQLITE_NEWER_THAN_US", ErrorKind.OTHER),
    ],
)
def test_sqlite_errors(name: str, kind: ErrorKind) -> None:
    assert error_kind(name) is kind


def test_whom_we_never_end() -> None:
    assert untouchable("pg_dump", "client backend", "COPY a TO stdout") == "a dump or backup"
    assert untouchable("x", "walsender", "") == "a replica or a subscriber reads from it"
    assert "wraparound" in untouchable("", "autovacuum worker", "autovacuum: VACUUM public.t (to prevent wraparound)")
    assert untouchable("psql", "client backend", "SELECT 1") == ""


@pytest.mark.parametrize(
    ("url", "dialect", "display"),
    [
        (f"mysql://u:{SECRET}@h:3307/d", "mysql", "mysql://u@h:3307/d"),
        (f"mysql+pymysql://u:{SECRET}@h/d?charset=utf8mb4", "mysql", "mysql://u@h/d"),
        (f"mariadb+mariadbconnector://u:{SECRET}@[::1]/d", "mariadb", "mariadb://u@[::1]/d"),
        ("mysql://u@localhost/d?unix_socket=/run/s", "mysql", "mysql://u@localhost/d?unix_socket=/run/s"),
        ("mysql://h/d?ssl-mode=verify_identity&ssl_ca=/ca.pem", "mysql", "mysql://h/d?ssl_mode=VERIFY_IDENTITY&ssl_ca=/ca.pem"),
    ],
)
def test_mysql_and_mariadb(url: str, dialect: str, display: str) -> None:
    parsed = parse_url(url)
    assert (parsed.dialect, parsed.display, parsed.database) == (dialect, display, "d")
    connector = connector_for(url, environment={})
    assert connector.dialect == dialect
    assert SECRET not in repr(parsed) + repr(connector) + connector.display


def test_tls_is_asked_for_in_every_spelling() -> None:
    for options, mode in {
        "": "PREFERRED",
        "ssl_disabled=true": "DISABLED",
        "ssl=true": "REQUIRED",
        "sslmode=require": "REQUIRED",
        "ssl_ca=/ca.pem": "VERIFY_CA",
        "ssl_ca=/ca.pem&ssl_verify_identity=true": "VERIFY_IDENTITY",
    }.items():
        assert place_of(f"mysql://h/d?{options}").tls == mode, options


def test_what_the_url_leaves_open_comes_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / ".my.cnf").write_text(
        "!includedir /etc/mysql\n[client]\nuser=from_file\npassword = 'kept # as is'\nport=3399\nquick\n[mysqld]\nuser=no\n"
    )
    place = place_of("mysql:///d")
    alone = completed(place, secret="", environment={}, home=tmp_path)
    assert (alone.user, alone.password, alone.port, alone.host) == ("from_file", "kept # as is", 3399, "localhost")
    assert completed(place, secret="", environment={"MYSQL_PWD": "e"}, home=tmp_path).password == "e"
    assert completed(place, secret="command", environment={"MYSQL_PWD": "e"}, home=tmp_path).password == "command"
    named = completed(place_of("mysql://me:url@h:1/d"), secret="command", environment={"MYSQL_PWD": "e"}, home=tmp_path)
    assert (named.user, named.password, named.host, named.port) == ("me", "url", "h", 1)
    with pytest.raises(ConfigError) as caught:
        completed(place_of(f"mysql://h/d?read_default_file={tmp_path}/none"), secret="", environment={}, home=tmp_path)
    assert caught.value.code == "DF-E119"
