"""A proof for a pull request: a table of its claims, then what differs and what was not shown."""

from __future__ import annotations

from typing import Any

from driftflow.model.proof import Proof
from driftflow.plugins import register
from driftflow.reports.proof import TITLES, WORDS, told, verdict


@register("report", "proof-markdown")
def render(proof: Proof, **_: Any) -> str:
    lines = [
        f"### driftflow proof of plan `{proof.plan[:12]}`",
        "",
        f"**{verdict(proof)}** On {proof.server}, from {_escaped(proof.start)}.",
        "",
    ]
    lines += ["| claim | | |", "|---|---|---|"]
    lines += [f"| {TITLES[claim.name]} | {WORDS[claim.state]} | {_escaped(claim.summary)} |" for claim in proof.claims]
    told_of = [f"- {TITLES[claim.name]}: {_escaped(told(one))}" for claim in proof.claims for one in claim.differences]
    missing = [text for claim in proof.claims for text in claim.not_proved] + list(proof.not_proved)
    if told_of:
        lines += ["", "#### Differs", "", *told_of]
    if missing:
        lines += ["", "#### Not proved", "", *(f"- {_escaped(text)}" for text in missing)]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
