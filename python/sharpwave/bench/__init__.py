"""The benchmark: our solvers against those of other libraries, in one interleaved run, compared at equal achieved error."""
