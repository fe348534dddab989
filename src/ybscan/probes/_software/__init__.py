"""How installed software is found and recognised; the probes beside this package make facts of it."""
