"""Databases that other tools' settings name are found, whichever server it is; a URL that may hold a password is never taken over."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.cli.detect import find_databases


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("postgres://u:secret@h/d", "postgresql"),
        ("mysql://u:secret@h/d", "mysql"),
        ("mysql2://u:secret@h/d", "mysql"),
        ("mysql+pymysql://u:secret@h/d", "mysql"),
        ("mariadb+mariadbconnector://u:secret@h/d", "mariadb"),
    ],
)
def test_dotenv(tmp_path: Path, url: str, dialect: str) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={url}\n")
    found = list(find_databases(tmp_path))
    assert [(one.url_env, one.dialect) for one in found] == [("DATABASE_URL", dialect)]
    assert "secret" not in repr(found)


def test_provider_of_prisma(tmp_path: Path) -> None:
    folder = tmp_path / "prisma"
    folder.mkdir()
    (folder / "schema.prisma").write_text('datasource db {\n  provider = "mysql"\n  url = env("SHOP_URL")\n}\n')
    assert [(one.url_env, one.dialect) for one in find_databases(tmp_path)] == [("SHOP_URL", "mysql")]
