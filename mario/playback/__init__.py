"""Watching agents play: windows, videos, overlays."""
