"""The benchmark: our solvers against other libraries' in one interleaved run, compared at equal achieved error."""
