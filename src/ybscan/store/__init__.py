"""What ybscan remembers: past checks, the rectification ledger, exceptions; and how anyone can tell that nothing was altered."""
