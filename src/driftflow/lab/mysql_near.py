"""Which tables of a MySQL or MariaDB database a statement can lock."""

from __future__ import annotations

from driftflow.dialects.mysql.tokens import tokenize
from driftflow.engine.ports import Connection
from driftflow.model.catalog import is_ours

TABLES_MAX = 12
"""In a larger schema only the tables that the statement names, and those within two foreign keys of them, are watched for locks."""
TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY table_name"
)
KEYS = """SELECT table_name, referenced_table_name FROM information_schema.referential_constraints WHERE constraint_schema = %s
  AND unique_constraint_schema = constraint_schema"""
TRIGGERS = "SELECT trigger_name, event_object_table FROM information_schema.triggers WHERE trigger_schema = %s"


def near_tables(connection: Connection, database: str, sql: str) -> list[str]:
    """All tables of a small schema, driftflow's own apart; else those that the statement names (a trigger names its own), and two foreign keys
    further."""
    tables = [str(name) for (name,) in connection.query(TABLES, (database,)) if not is_ours(str(name))]
    if len(tables) <= TABLES_MAX:
        return tables
    keys = [(str(child), str(parent)) for child, parent in connection.query(KEYS, (database,))]
    tokens, _ = tokenize(sql, mariadb=True)
    words = {token.text.strip("`").lower() for token in tokens}
    near = {table for table in tables if table.lower() in words}
    near |= {str(table) for name, table in connection.query(TRIGGERS, (database,)) if str(name).lower() in words}
    for _ in range(2):
        near |= {end for pair in keys if near & set(pair) for end in pair}
    return [table for table in tables if table in near]
