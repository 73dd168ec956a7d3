"""The operating system: files, signals, hardware, plugins."""
