"""Command-line programs: `mario-train`, `mario-play` and `mario-eval`.

A command parses its flags into a dataclass, calls one function, and returns the exit code.
"""
