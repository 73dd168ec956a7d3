"""Replay: storage of single frames, samplers, n-step returns and augmentation."""
