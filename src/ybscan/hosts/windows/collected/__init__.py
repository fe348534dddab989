"""Windows as the collector ``tools/collector/windows`` found it."""
