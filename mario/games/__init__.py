"""Games to play, and how to write more of them."""

from __future__ import annotations

from mario.games.registry import make_game, register_games

__all__ = ["make_game", "register_games"]
