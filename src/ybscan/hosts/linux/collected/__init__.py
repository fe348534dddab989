"""Linux as the collector ``tools/collector/linux`` found it."""
