"""Entry point. Nothing heavy is imported here: ``ybscan --version`` answers before the command line is even built."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # A scan writes nothing outside its output folder, the interpreter's caches beside the program included.
    sys.dont_write_bytecode = True
    # pydantic would search every installed package for plugins at each start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        if getattr(sys, "frozen", False):  # which has kept Ctrl+C quiet until here
            import signal

            signal.signal(signal.SIGINT, signal.default_int_handler)
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # before or after the command itself, which has its own answer
        from ybscan.cli.console import interrupted

        code = interrupted()
    # It is done; a late Ctrl+C must not turn the exit code into another one.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        return _version()
    if not arguments and getattr(sys, "frozen", False):
        from ybscan.cli import double_click

        if double_click.happened():
            from ybscan.cli.app import run

            return double_click.handle(run)
    from ybscan.cli.app import run

    return run(arguments)


def _version() -> int:
    from ybscan import __version__

    if getattr(sys, "frozen", False) or sys.flags.isolated:
        from ybscan.cli import portable

        if portable.is_portable():
            from ybscan.cli.console import emit, prepare_streams

            prepare_streams()
            emit(portable.version_text())
            return 0
    sys.stdout.write(f"ybscan {__version__}\n")
    return 0


if __name__ == "__main__":
    main()
