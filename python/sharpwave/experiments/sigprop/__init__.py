"""Signal propagation beside other ways of teaching the same layers."""
