"""A Windows that does not run: a mounted disk, or a folder laid out like one. Nothing is written and nothing loaded."""

#: Why what only a running system knows is not told.
LIVE = "只有运行中的系统能回答"
