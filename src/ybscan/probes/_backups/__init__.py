"""Helpers of the backup probes: pure where they can be."""
