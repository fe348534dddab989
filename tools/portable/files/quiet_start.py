"""Runs first in the packed program: until our own code has the word, Ctrl+C ends it without a traceback."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)
