"""The terminal, as a few small groups of questions, and the backends that answer them."""
