# Wave lattices: nothing is allocated while waves travel, whatever the boundary; arguments that do not fit are refused.

const WK = SharpwaveKernels.Waves

const NO_MIX = WK.Mixture(Int[], Int[], Float64[])

"Bytes allocated by so many steps of one example."
function lattice_allocations(b, mixed, columns, places, rows, steps)
    control, done = SharpwaveKernels.Control(C_NULL), Threads.Atomic{Int}(0)
    next, ring = zeros(rows), zeros(rows, places)
    seen = isempty(mixed.column) ? ring : zeros(rows, columns)
    inputs, memory, values = ones(rows, 3, 1), ones(rows, places, 1), zeros(rows, steps, 1)
    go(n) = WK.roll!(control, done, b, mixed, next, ring, seen, inputs, memory, values, 1, n, 0)
    go(1)
    @allocated go(steps)
end

@testset "waves" begin
    fit(n) = [0.01 * sin(k) for k in 1:n]
    boundaries = (
        WK.boundary(0, 4, 3, [1, 2, 4, 0, 1, 2], fit(1 + 3 + 9)),
        WK.boundary(1, 4, 3, [2, 1], fit(2 * 2 * 9 + 2 * 4)),
        WK.boundary(2, 4, 3, [5, 0], fit(12 * 5 + 5 + 15 + 3)),
        WK.boundary(2, 4, 3, [5, 1], fit(12 * 5 + 5 + 15 + 3)),
    )
    reflecting = WK.mixture(4, 8, [1:4; 1:4], [5:8; 4:-1:1], ones(8))
    periodic = WK.mixture(4, 5, [1:4; 0; 0], [2:5; 1; 2], [ones(4); 0.5; 0.5])
    for b in boundaries, (mixed, places) in ((NO_MIX, 4), (reflecting, 8), (periodic, 5))
        lattice_allocations(b, mixed, 4, places, 3, 200)
        @test lattice_allocations(b, mixed, 4, places, 3, 200) == 0
    end

    # a boundary whose rows do not see each other, read through a mixture: all rows together, however many
    rows, places = 130, 600
    memory, values = ones(rows, places, 1), zeros(rows, 1, 1)
    shared = zeros(Int, 8)
    GC.@preserve shared WK.run_waves(SharpwaveKernels.Control(pointer(shared)), [0, 2, 1, 0], [1, 2, 0, 0], [1.0, 1.0], [1, 2], [1, 2], [10.0, 20.0], zeros(rows, 0, 1),
                 memory, values)
    @test all(==(30.0), values)

    bad(work) = try work(); "" catch e; sprint(showerror, e) end
    @test occursin("a boundary is 0", bad(() -> WK.boundary(4, 4, 3, Int[], Float64[])))
    @test occursin("a column outside 1:4", bad(() -> WK.boundary(0, 4, 3, [5, 0], [1.0])))
    @test occursin("a kind from 0 to 2", bad(() -> WK.boundary(0, 4, 3, [1, 3], [1.0])))
    @test occursin("a column and a kind", bad(() -> WK.boundary(0, 4, 3, [1, 2, 0], [1.0])))
    @test occursin("expected 9 numbers, got 1", bad(() -> WK.boundary(0, 4, 3, [1, 2], [1.0])))
    @test occursin("expected 18 numbers, got 2", bad(() -> WK.boundary(1, 4, 3, [1, 0], [1.0, 2.0])))
    @test occursin("at least one head", bad(() -> WK.boundary(1, 4, 3, [0, 0], [1.0])))
    @test occursin("two matrices of each", bad(() -> WK.boundary(1, 4, 2, [2^62, 1], Float64[])))
    @test occursin("a column and a kind", bad(() -> WK.boundary(0, 4, 3, Int[], Float64[])))
    @test occursin("expected hidden units", bad(() -> WK.boundary(2, 4, 3, [2^61, 0], [1.0])))
    @test occursin("a column outside 0:4", bad(() -> WK.mixture(4, 5, [1, 2, 3, 5], ones(Int, 4), ones(4))))
    @test occursin("a place outside 1:5", bad(() -> WK.mixture(4, 5, [1, 2, 3, 4], zeros(Int, 4), ones(4))))
    @test occursin("expected each of $(2^62) columns", bad(() -> WK.mixture(2^62, 2, [1], [1], [1.0])))
    @test occursin("expected hidden units", bad(() -> WK.boundary(2, 4, 3, [0, 0], [1.0])))
    @test occursin("expected hidden units", bad(() -> WK.boundary(2, 4, 3, [1, 2], [1.0])))
    @test occursin("no equations were compiled", bad(() -> WK.boundary(3, 4, 3, [10^6], Float64[])))
    @test occursin("a handle of compiled equations", bad(() -> WK.boundary(3, 4, 3, Int[], Float64[])))
    @test occursin("a memory of 4 columns", bad(() -> WK.mixture(4, 5, Int[], Int[], Float64[])))
end
