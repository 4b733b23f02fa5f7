"""The search of the repository finds what mentions a table, and nothing in vendored or migration folders."""

from pathlib import Path

from driftflow.usage.repository import find_references


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_finds_lines_by_table_and_by_column_only_where_the_table_is_mentioned(tmp_path: Path) -> None:
    write(tmp_path, "app/orders.py", "def load():\n    return db.query('SELECT id, status FROM orders')\n")
    write(tmp_path, "app/other.py", "status = 'of something else'\n")
    write(tmp_path, "app/models.rb", "class Order < ApplicationRecord\nend\n")
    found = find_references(tmp_path, {"orders": ["status"]})
    assert [(r.name, r.file, r.line) for r in found] == [
        ("orders", "app/models.rb", 1),
        ("orders", "app/orders.py", 2),
        ("status", "app/orders.py", 2),
    ]


def test_leaves_out_vendored_code_migrations_and_binaries(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/x/index.js", "orders")
    write(tmp_path, "migrations/001.sql", "ALTER TABLE orders ADD COLUMN x int;")
    write(tmp_path, "notes.txt", "orders")
    (tmp_path / "broken.py").write_bytes(b"orders \xff\xfe")
    assert find_references(tmp_path, {"orders": []}, exclude=[tmp_path / "migrations"]) == ()


def test_does_not_take_a_part_of_a_word(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "preorders = reorders = orders_old = 1")
    assert find_references(tmp_path, {"orders": []}) == ()
