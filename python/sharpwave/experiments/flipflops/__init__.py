"""Temporal flipflops: networks that learn to keep time, and what becomes of their fixed points meanwhile."""
