"""Trains agents to play Super Mario Bros. and its kin; importing it registers the games."""

from __future__ import annotations

from mario.games.registry import register_games

register_games()
