"""Workloads that the benchmarks run, each a generator in a child process."""
