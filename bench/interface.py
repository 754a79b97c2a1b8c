"""Requests made up out of the interface's description, each answer compared with it, against one process.

Tokens are real ones, the database is PostgreSQL, and every middleware runs; only the socket is left out. Goal: no
answer of 500 or more, none that the description doesn't have. The same test runs in `make test`, with fewer requests.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

import kit

TEST = "tests/api/test_schema.py::test_whatever_is_asked_the_answer_is_as_described"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--each", type=int, default=150, help="requests for each operation (150: ten thousand in all)"
    )
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    each = 8 if arguments.quick else arguments.each
    command = [kit.PYTHON, "-m", "pytest", "-n", "0", "-q", "-s", "-p", "no:cacheprovider", TEST]
    done = kit.run_measured(command, env={**os.environ, "SCHEMATHESIS_CASES": str(each)})
    asked = re.search(r"(\d+) requests were made up", done.stdout)
    if done.returncode or not asked:
        print(done.stdout)
        sys.exit(1)
    number, spent = int(asked[1]), done.cpu
    kit.print_table(
        "Interface", ("requests", "CPU s", "ms each"), [(number, round(spent), round(1000 * spent / number))]
    )
    kit.print_json("interface", requests=number, cpu_seconds=round(spent, 1), passed=True)


if __name__ == "__main__":
    main()
