"""A secret is stored as ciphertext with the id of its key: the application encrypts, the database never sees it in clear."""

from __future__ import annotations

import re

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex
from driftflow.strategies.base import enhancement

SECRET = lazy_regex(r"(^|_)(secret|token|otp|totp|api_?key|private_?key|credential|mfa)(_|$)|(totp|otp|mfa)_seed$")
NOT_CLEAR = lazy_regex(r"hash|digest|cipher|encrypted|fingerprint|_id$|_at$|_enabled$|public")
TEXT = lazy_regex(r"(?i)^(character|varchar|text|char|nvarchar|clob|citext|string)")


@enhancement(
    "encrypt_secret_column",
    on=AddColumn,
    title="ciphertext and key id",
    why="whoever reads a backup, a replica or a log reads a secret that is stored in clear",
)
def encrypt_secret_column(operation: AddColumn, at: Situation) -> str:
    column = operation.column
    if not SECRET.search(column.name) or NOT_CLEAR.search(column.name) or not TEXT.match(column.type):
        return ""
    stem = re.sub(r"_(secret|token|seed|key)$", "", column.name)
    target, quote = at.dialect.quote_name(operation.table), at.dialect.quote
    binary = "bytea" if at.can(Capability.ROW_SECURITY) else "BLOB"
    return (
        f"-- The application encrypts (envelope encryption); existing secrets: a backfill with function=, see docs/directives.md\n"
        f"ALTER TABLE {target} ADD COLUMN {quote(f'{stem}_ciphertext')} {binary};\n\n"
        f"ALTER TABLE {target} ADD COLUMN {quote(f'{stem}_key_id')} {'text' if binary == 'bytea' else 'TEXT'};"
    )
