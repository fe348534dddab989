"""The command line of the build; see the package."""

from __future__ import annotations

import sys

import tools.portable
from tools.portable import linux, lock, windows
from tools.portable.common import TARGET, write_sums

FORMS = {"windows": windows.build, "linux": linux.build}


def main(arguments: list[str]) -> int:
    """Do what the arguments say; returns the exit code."""
    if arguments == ["lock"]:
        lock.write()
        return 0
    if arguments[:1] != ["build"] or set(arguments[1:]) - set(FORMS):
        print(tools.portable.__doc__, file=sys.stderr)
        return 2
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in arguments[1:] or FORMS:
        FORMS[name]()
    write_sums(TARGET)
    for file in sorted(TARGET.iterdir()):
        print(f"{file.stat().st_size / 2**20:8.2f} MiB  {file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
