"""Builds the portable forms: programs that run from a folder or a network share and need no installation.

python -m tools.portable build [windows] [linux]   both, when neither is named
python -m tools.portable lock                      writes the pins of the Linux form anew, from those of Windows

The results lie in ``dist/portable``, with their SHA-256 digests in ``SHA256SUMS``. docs/adr/0017-portable-forms.md says
why they are as they are.
"""
