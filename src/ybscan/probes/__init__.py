"""Probes: one file per subject, each listing itself in ``PROBES``. See docs for how to add one."""
