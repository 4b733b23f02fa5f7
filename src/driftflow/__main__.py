"""`python -m driftflow`, and the console script."""

from __future__ import annotations

import gc
import os
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


def process() -> None:
    """The whole process: `main`, and the end. A lint ends at once, for it has no threads, and to take its million records apart costs a twentieth of it.
    Nor does it look for garbage, of which its imports make none."""
    lint = sys.argv[1:2] == ["lint"]
    if lint:
        gc.disable()
    code = main()
    if lint:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            sys.exit(code)  # the interpreter says what could not be written
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    process()
