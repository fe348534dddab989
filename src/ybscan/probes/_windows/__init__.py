"""The Windows halves of probes, and what they share. Each is imported by its probe only when a Windows terminal is read."""
