"""What is kept of each result while a report reads thousands of them."""

from __future__ import annotations

from collections.abc import Sequence

from ybscan.model.result import ScanResult
from ybscan.report.excerpt import Excerpts
from ybscan.report.options import Kind, Options, Redaction
from ybscan.report.redact import Redactor, redacted


class Keeper:
    """Called with each result as it is read: learns the names to be replaced, and keeps what the document prints.

    Args:
        kind: the kind of document. A record prints the facts that changed, so that its results are kept whole.
        level: how far names are replaced.
        terminal: the one terminal a record is about; None for any.
    """

    def __init__(self, kind: Kind, level: Redaction, terminal: str | None = None) -> None:
        self._record = kind == "record"
        self._terminal = terminal
        self._level = level
        self._excerpts = Excerpts("self-inspection" if kind == "record" else kind)
        self._redactor = Redactor(level) if level != "none" and kind != "record" else None

    def __call__(self, result: ScanResult) -> ScanResult:
        """What is kept."""
        if self._record and self._terminal in (None, result.host.id):
            return result
        if self._redactor is not None:
            self._redactor.learn(result)
        return self._excerpts(result)

    def shown(self, results: Sequence[ScanResult], options: Options) -> tuple[tuple[ScanResult, ...], Options]:
        """Kept results and the options as the document prints them."""
        if self._redactor is None:
            return redacted(results, options, self._level)
        self._redactor.learn_options(options)
        return tuple(self._excerpts(self._redactor.result(r)) for r in results), self._redactor.options(options)
