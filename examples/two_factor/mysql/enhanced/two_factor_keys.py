"""Encrypts the pilot's TOTP seeds, as the application does it. driftflow calls `encrypt` once per chunk.

Envelope encryption: every row has a data key of its own, derived from the key that TWO_FACTOR_KEY holds; the row stores which key that was.
In production the derivation is a call to your key service; the rest stays. Only the standard library is used here: HMAC-SHA256 in counter
mode for secrecy, a second HMAC over everything for integrity (encrypt, then authenticate).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import Any


def encrypt(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each row with `id` and `totp_seed`: the ciphertext, bound to the user's id, and the id of the key."""
    key, key_id = master_key()
    return [
        {"two_factor_ciphertext": seal(key, str(row["totp_seed"]).encode(), bound_to=str(row["id"])), "two_factor_key_id": key_id}
        for row in rows
    ]


def master_key() -> tuple[bytes, str]:
    """The key from TWO_FACTOR_KEY (hexadecimal, 32 bytes), and its id."""
    text = os.environ.get("TWO_FACTOR_KEY", "")
    if len(text) != 64:
        raise RuntimeError(
            "TWO_FACTOR_KEY must hold 64 hexadecimal digits: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    key = bytes.fromhex(text)
    return key, "k-" + hashlib.sha256(b"key id" + key).hexdigest()[:8]


def seal(key: bytes, plain: bytes, *, bound_to: str) -> bytes:
    """nonce (16 bytes), ciphertext, tag (32 bytes)."""
    nonce = secrets.token_bytes(16)
    body = _xor(plain, _derive(key, b"encrypt", nonce))
    tag = hmac.digest(_derive(key, b"authenticate", nonce), bound_to.encode() + b"\0" + nonce + body, "sha256")
    return nonce + body + tag


def open_sealed(key: bytes, sealed: bytes, *, bound_to: str) -> bytes:
    """What `seal` was given. Raises ValueError when anything was changed."""
    nonce, body, tag = sealed[:16], sealed[16:-32], sealed[-32:]
    wanted = hmac.digest(_derive(key, b"authenticate", nonce), bound_to.encode() + b"\0" + nonce + body, "sha256")
    if not hmac.compare_digest(tag, wanted):
        raise ValueError("the ciphertext was changed, or belongs to another user or key")
    return _xor(body, _derive(key, b"encrypt", nonce))


def _derive(key: bytes, purpose: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + nonce, "sha256")


def _xor(data: bytes, key: bytes) -> bytes:
    stream = b"".join(hmac.digest(key, block.to_bytes(8, "big"), "sha256") for block in range(len(data) // 32 + 1))
    return bytes(left ^ right for left, right in zip(data, stream, strict=False))
