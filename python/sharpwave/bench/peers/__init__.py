"""The other libraries' side of the benchmark, run in an environment of their own.

This package imports nothing of sharpwave: the interpreter of `.venv-peers`, where sharpwave is not installed, loads it.
"""
