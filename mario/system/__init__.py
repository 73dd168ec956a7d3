"""The operating system: files, signals, hardware, threads and users' own modules."""
