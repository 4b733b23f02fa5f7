"""Signing in with a code: enrol, sign in, recover. The database sees ciphertext, a key id and a flag."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Any

STEP_SECONDS = 30
Seal = Callable[..., bytes]
"""`two_factor_keys.seal` and `open_sealed`, with the key that the application holds."""


def code_at(seed: bytes, moment: int) -> str:
    """The six digits of RFC 6238 (SHA-1, 30 seconds)."""
    digest = hmac.digest(seed, struct.pack(">Q", moment // STEP_SECONDS), "sha1")
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def enrol(connection: Any, *, user: int, key: bytes, key_id: str, seal: Seal) -> str:
    """Store a new seed, still switched off; what the authenticator app is shown (base32)."""
    seed = base64.b32encode(secrets.token_bytes(20))
    connection.execute(
        "UPDATE users SET two_factor_ciphertext = %s, two_factor_key_id = %s, two_factor_enabled = %s WHERE id = %s",
        (seal(key, seed, bound_to=str(user)), key_id, False, user),
    )
    return seed.decode()


def confirm(connection: Any, *, user: int, code: str, moment: int, key: bytes, open_sealed: Seal) -> bool:
    """Switch it on once a code proves that the person holds the seed: opting in is this, never a migration."""
    if not _right(connection, user=user, code=code, moment=moment, key=key, open_sealed=open_sealed):
        return False
    connection.execute("UPDATE users SET two_factor_enabled = %s WHERE id = %s", (True, user))
    return True


def sign_in(connection: Any, *, user: int, code: str, moment: int, key: bytes, open_sealed: Seal) -> bool:
    """The second factor: whoever has not switched it on passes without a code."""
    enabled = connection.query("SELECT two_factor_enabled FROM users WHERE id = %s", (user,))[0][0]
    return not enabled or _right(connection, user=user, code=code, moment=moment, key=key, open_sealed=open_sealed)


def recover(connection: Any, *, user: int) -> None:
    """After the support desk has identified the person: the flag first falls, with the seed, in one statement. They may enrol again."""
    connection.execute(
        "UPDATE users SET two_factor_enabled = %s, two_factor_ciphertext = NULL, two_factor_key_id = NULL WHERE id = %s",
        (False, user),
    )


def _right(connection: Any, *, user: int, code: str, moment: int, key: bytes, open_sealed: Seal) -> bool:
    sealed = connection.query("SELECT two_factor_ciphertext FROM users WHERE id = %s", (user,))[0][0]
    if sealed is None:
        return False
    seed = base64.b32decode(open_sealed(key, bytes(sealed), bound_to=str(user)))
    wanted = [code_at(seed, moment + drift * STEP_SECONDS) for drift in (-1, 0, 1)]
    return any(hmac.compare_digest(code, one) for one in wanted)
