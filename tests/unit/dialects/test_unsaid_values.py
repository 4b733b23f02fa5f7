"""Messages as the servers make them (PostgreSQL 18, MySQL 9.7, MariaDB 10.11), and what is left of them."""

from __future__ import annotations

import pytest

from driftflow.dialects.unsaid_values import without_values

MESSAGES = [
    ("22P02", 'invalid input syntax for type integer: "se"cret"', "invalid input syntax for type integer"),
    ("22003", 'value "99999999999" is out of range for type integer', "value is out of range for type integer"),
    ("22008", 'date/time field value out of range: "31.02.2026"', "date/time field value out of range"),
    ("22021", 'invalid byte sequence for encoding "UTF8": 0xff', "invalid byte sequence for encoding"),
    ("22001", "value too long for type character varying(20)", "value too long for type character varying(20)"),
    ("23505", "Key (email)=(a@b (c)) already exists.", "Key (email) already exists."),
    ("23505", "Key (lower(a), b)=(x, y) is duplicated.", "Key (lower(a), b) is duplicated."),
    ("23503", 'Key (id)=(5) is still referenced from table "posts".', 'Key (id) is still referenced from table "posts".'),
    ("23514", "Failing row contains (5, secret, (x)).", "Failing row is not shown."),
    ("23502", 'null value in column "a" of relation "t" violates not-null constraint', None),
    ("42703", 'column "a" does not exist', None),
    ("1062", "Duplicate entry 'it's' for key 'users.email'", "Duplicate entry for key 'users.email'"),
    ("1366", "Incorrect integer value: 'secret' for column 'age' at row 5", "Incorrect integer value for column 'age' at row 5"),
    ("1292", "Truncated incorrect INTEGER value: 'secret'", "Truncated incorrect INTEGER value"),
    ("1411", "Incorrect datetime value: '31.02' for function str_to_date", "Incorrect datetime value for function str_to_date"),
    ("1526", "Table has no partition for value 2031", "Table has no partition for a value"),
    ("1300", "Invalid utf8mb4 character string: '\\xFF\\xFE'", "Invalid utf8mb4 character string"),
    ("1918", "Encountered illegal value 'secret' when converting to INT", "Encountered illegal value when converting to INT"),
    ("1054", "Unknown column 'a' in 'field list'", None),
    ("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: users.email", None),
]


@pytest.mark.parametrize(("code", "message", "left"), MESSAGES)
def test_values_are_left_out_and_names_stay(code: str, message: str, left: str | None) -> None:
    assert without_values(code, message) == (message if left is None else left)
