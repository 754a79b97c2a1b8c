"""Reads facts (JSON) and writes them as PDF/A-2b: a program of its own, run by assessments.pdf.write.

The facts go in as data that the template reads: no text of a tenant is ever markup.
"""

import json
import sys
from pathlib import Path

import typst


def main() -> None:
    """From standard input to standard output, by the template that the first argument names."""
    facts = json.loads(sys.stdin.buffer.read())
    made = typst.compile(
        Path(sys.argv[1]),
        root=Path(__file__).parents[1],
        sys_inputs={"facts": json.dumps(facts)},
        ignore_system_fonts=True,
        pdf_standards="a-2b",
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
