"""Experiments in which tasks are learned one after the other."""
