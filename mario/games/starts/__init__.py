"""Where episodes start.

They start at the beginning of the game, shortly before the point where an earlier episode was lost,
or on a demonstration.
"""
