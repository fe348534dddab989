"""ENUM_SERVICE_STATUS_PROCESSW: two pointers, then SERVICE_STATUS_PROCESS of nine numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ybscan.hosts.groups.services import ServiceState
from ybscan.hosts.windows.memory import MalformedBufferError, Memory

State = Literal["running", "stopped", "paused", "pending"]
_STATES: dict[int, State] = {
    1: "stopped", 2: "pending", 3: "pending", 4: "running", 5: "pending", 6: "pending", 7: "paused",
}  # fmt: skip


def service_states(memory: Memory, count: int) -> Iterator[ServiceState]:
    """The entries of one answer.

    Raises:
        MalformedBufferError: they are not all there, or one makes no sense.
    """
    size = 2 * memory.word + 36
    size += -size % memory.word
    for n in range(count):
        at = n * size
        name = memory.wide(memory.pointer(at))
        status = at + 2 * memory.word
        state = _STATES.get(memory.number(status + 4, 4))
        if not name or state is None:
            raise MalformedBufferError("a service without a name or state")
        yield ServiceState(name, state, memory.number(status + 28, 4) or None)
