"""What the kernel's packet filter does with a connection from outside, told from its rules. Nothing is sent.

The one question answered is whether a new connection to a listening port gets through. Everything not understood
counts both ways: it may accept and it may drop, so "blocked" and "open" are said only when no such rule can matter.
"""
