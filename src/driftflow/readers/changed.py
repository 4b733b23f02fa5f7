"""Which files have changed since a commit, as git says."""

from __future__ import annotations

from pathlib import Path

from driftflow.errors import SourceError

SECONDS_MAX = 60


def changed_files(ref: str, folder: Path) -> frozenset[Path]:
    """Files (absolute) that differ from where `ref` and HEAD parted, committed or not, and those that git does not track and does not ignore.

    Raises SourceError: no git, no repository, an unknown ref, or no common commit (a shallow clone).
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel", code="DF-E260", what="this is no git repository").strip())
    if ref.startswith("-"):
        raise SourceError(
            "DF-E261", f"git knows no commit {ref!r}", where=str(top), hint="git branch -a    # the names that there are"
        )
    _git(top, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", code="DF-E261", what=f"git knows no commit {ref!r}")
    base = _git(top, "merge-base", ref, "HEAD", code="DF-E262", what=f"{ref} and HEAD have no commit in common").strip()
    changed = _git(top, "diff", "--name-only", "-z", "--diff-filter=d", base)
    untracked = _git(top, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset((top / name).resolve() for name in (changed + untracked).split("\0") if name)


_HINTS = {
    "DF-E260": "run it inside the repository, or leave --changed-since out",
    "DF-E261": "git fetch origin, then name a branch, a tag or a commit",
    "DF-E262": "git fetch --unshallow    # a shallow clone does not hold the commit where they parted",
    "DF-E263": "git status    # what git itself says",
}


def _git(folder: Path, *words: str, code: str = "DF-E263", what: str = "git did not answer") -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=SECONDS_MAX, check=False, errors="replace"
        )
    except FileNotFoundError:
        raise SourceError("DF-E263", "git did not answer", why="there is no git on this machine", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise SourceError("DF-E263", "git did not answer", why=f"nothing in {SECONDS_MAX} s", hint=_HINTS["DF-E263"]) from None
    if done.returncode != 0:
        raise SourceError(code, what, where=str(folder), why=done.stderr.strip().partition("\n")[0], hint=_HINTS[code])
    return done.stdout
