"""What the user types: `mario-train`, `mario-play`, `mario-eval`."""
