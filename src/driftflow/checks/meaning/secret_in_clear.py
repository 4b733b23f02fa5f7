"""DF802: a secret stored as text is in every backup, replica, log and dump in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, CreateTable
from driftflow.patterns import lazy_regex

_SECRET = lazy_regex(
    r"(?:^|_)(secret|token|password|passwd|passphrase|otp|totp|api_?key|private_?key|access_?key|credential|credentials|mfa|pin)(?:_|$)|(?:^|_)(totp|otp|mfa)_seed$"
)
_NOT_CLEAR = lazy_regex(
    r"hash|digest|cipher|encrypted|_enc$|fingerprint|_id$|_at$|_count$|_enabled$|_required$|_type$|_name$|_expires|_expiry|_length|public"
)
_TEXT = lazy_regex(r"(?i)^(character|varchar|text|char|nvarchar|clob|citext|string|json|nchar)")


@check("DF802", on=(AddColumn, CreateTable), page="meaning/secret-in-clear", title="A secret in clear text")
def secret_in_clear(operation: AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    """Judged by name and type. Hashes, ciphertexts, key ids and timestamps are left alone."""
    columns: tuple[Column, ...] = (operation.column,) if isinstance(operation, AddColumn) else operation.table.columns
    table = operation.table if isinstance(operation, AddColumn) else operation.table.name
    for column in columns:
        if _SECRET.search(column.name) and not _NOT_CLEAR.search(column.name) and _TEXT.match(column.type):
            yield finding(
                at,
                f"{table.name}.{column.name} would hold a secret in clear text",
                axis="note",
                severity="error",
                why="whoever reads a backup, a replica, a query log or one SQL injection reads every secret; a password should not even be decryptable",
                remedy=_remedy(at, table, column),
                known_by="rule",
                near=column.name,
            )


def _remedy(at: Situation, table: Name, column: Column) -> Remedy:
    quoted = at.dialect.quote_name(table)
    stem = re.sub(r"_(secret|token|seed|key|password)$", "", column.name)
    binary = "bytea" if at.can(Capability.ROW_SECURITY) else "BLOB"
    if re.search(r"password|passwd|passphrase|(?:^|_)pin(?:_|$)", column.name):
        hashed = quote(at, f"{stem}_hash")
        return Remedy(
            summary="store a slow, salted hash that the application makes (argon2id, bcrypt)",
            sql=f"ALTER TABLE {quoted} ADD COLUMN {hashed} text;",
        )
    return Remedy(
        summary="let the application encrypt it (envelope encryption) and store ciphertext and the id of the key (encrypt_secret_column)",
        sql=(
            f"ALTER TABLE {quoted} ADD COLUMN {quote(at, f'{stem}_ciphertext')} {binary};\n"
            f"ALTER TABLE {quoted} ADD COLUMN {quote(at, f'{stem}_key_id')} text;"
        ),
        enhancement="encrypt_secret_column",
    )
