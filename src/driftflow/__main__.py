"""`python -m driftflow`, and the console script."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:2] == ["lint"]:
        from driftflow.cli import answers

        answers.asked = sys.argv[1:]
        if (code := answers.known(answers.asked)) is not None:
            return code
    from driftflow.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
