"""What `driftflow prove` showed of one plan on a throw-away server: each claim, and what could not be shown. No row's value stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from driftflow.errors import RefusedError
from driftflow.model.record import DecodeError, Record, decode, digest, pretty

PROOF_FORMAT = 1
AGAIN = "driftflow prove PLAN -o FILE"

ClaimName = Literal["same_end", "taken_back", "locks", "writers", "crashes", "queries"]
NEEDED: tuple[ClaimName, ...] = ("same_end", "taken_back", "locks", "writers", "crashes")
State = Literal["proved", "differs", "not_proved", "not_asked"]
"""not_proved: it was asked and could not be shown. not_asked: what it needs was not given (queries)."""


class Difference(Record, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    step: str = ""
    """`step 3: Add orders.tenant_id, nullable`; empty where no step names the object."""
    object: str
    """`table public.orders`, `column public.orders.tenant_id`, ..."""
    what: str


class Claim(Record, frozen=True, kw_only=True):
    name: ClaimName
    state: State
    summary: str
    """What was done, with its figures, as a sentence."""
    differences: tuple[Difference, ...] = ()
    not_proved: tuple[str, ...] = ()
    """What of it could not be shown, as sentences."""
    milliseconds: int = 0


class Proof(Record, frozen=True, kw_only=True):
    format: int = PROOF_FORMAT
    plan: str
    """The plan's digest."""
    dialect: str
    server: str
    """What it was shown on, for people: `PostgreSQL 16`."""
    server_version: str
    """Of that server, as it says itself."""
    start: str
    """Where the start schema is from."""
    original: tuple[str, ...]
    """The files that ran on the database beside the plan's."""
    rows: Mapping[str, int] = {}
    """How many rows were made, by table."""
    seed: int = 0
    claims: tuple[Claim, ...] = ()
    not_proved: tuple[str, ...] = ()
    """What concerns every claim: what of the start schema could not be made, for one."""
    notes: tuple[str, ...] = ()
    made_with: str = ""
    at: str = ""
    """UTC, ISO 8601."""

    @property
    def green(self) -> bool:
        """Whether every claim but the one that needs the application's queries was asked, all that was asked was shown, and nothing was left out."""
        whole = {*NEEDED} <= {claim.name for claim in self.claims if claim.state != "not_asked"}
        shown = all(claim.state in ("proved", "not_asked") and not claim.not_proved for claim in self.claims)
        return whole and shown and not self.not_proved


class ProofFile(Record, frozen=True, kw_only=True):
    """What stands in the file: the proof, whether it is green, and its digest, so that an edited file is noticed."""

    digest: str
    green: bool
    proof: Proof


def encode_proof(proof: Proof) -> str:
    """The text of the proof file; ends with a newline."""
    return pretty(ProofFile(digest=digest(proof), green=proof.green, proof=proof))


def decode_proof(text: str | bytes, *, where: str = "") -> Proof:
    """The proof in the text. Raises RefusedError: DF-E670 no proof, or of a newer driftflow; DF-E671 edited."""
    try:
        file = decode(text, ProofFile)
    except (DecodeError, UnicodeDecodeError) as fault:
        raise _unreadable(where, str(fault), AGAIN) from fault
    if file.proof.format > PROOF_FORMAT:
        why = f"its format is {file.proof.format}, this driftflow reads up to {PROOF_FORMAT}"
        raise _unreadable(where, why, "pip install --upgrade driftflow")
    if file.digest != digest(file.proof) or file.green != file.proof.green:
        raise RefusedError(
            "DF-E671", "the proof was edited: its digest does not fit its content", where=where, why="a proof is made, not written",
            hint=AGAIN,
        )  # fmt: skip
    return file.proof


def _unreadable(where: str, why: str, hint: str) -> RefusedError:
    return RefusedError("DF-E670", "this is not a proof that can be read here", where=where, why=why, hint=hint)
