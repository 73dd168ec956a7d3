"""Gradient updates: precision, threads, optimizer and weight averaging."""
