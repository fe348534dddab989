"""Entry point. Nothing heavy is imported here: ``ybscan --version`` answers before the command line is even built."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ybscan import __version__

        sys.stdout.write(f"ybscan {__version__}\n")
        return
    # A scan writes nothing outside its output folder, the interpreter's caches beside the program included.
    sys.dont_write_bytecode = True
    # pydantic would search every installed package for plugins at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from ybscan.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
