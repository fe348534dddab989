"""Time limits for what may never return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ybscan.hosts.common.errors import from_error
from ybscan.model.reading import Cause, Reading, Unknown

T = TypeVar("T")


def bounded(work: Callable[[], Reading[T]], seconds: float, path: str) -> Reading[T]:
    """What ``work`` answers, or Unknown(timeout): a read from a server that is gone never returns.

    The thread is a daemon and is left behind; a file system that waits for ever holds it, not the scan.
    """
    box: list[Reading[T]] = []

    def run() -> None:
        try:
            box.append(work())
        except OSError as e:
            box.append(from_error(e, path))
        except (ValueError, OverflowError) as e:
            box.append(Unknown(Cause.MALFORMED, f"{path}：{type(e).__name__}", path))
        except Exception as e:
            box.append(Unknown(Cause.PROBE_ERROR, f"{path}：{type(e).__name__}: {e}", path))

    thread = threading.Thread(target=run, daemon=True, name=f"read {path}")
    thread.start()
    thread.join(seconds)
    return box[0] if box else Unknown(Cause.TIMEOUT, f"{path}（{seconds:g} 秒内没有响应）", path)
