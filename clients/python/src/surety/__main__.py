"""`python -m surety`: the same as the command `surety`."""

from surety.command import run

run()
