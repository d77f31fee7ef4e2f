# The boundary that a user writes down: compiled equations that read what rows were some steps before.

struct EquationBoundary{F}
    rhs!::F
    parameters::Vector{Float64}
    column::Vector{Int}             # of each value that is read
    row::Vector{Int}
    now::Vector{Float64}            # by row: the equations do not read it
    lags::Vector{Float64}
end
alone(b::EquationBoundary) = EquationBoundary(b.rhs!, b.parameters, b.column, b.row, copy(b.now), copy(b.lags))

function equation_boundary(columns, rows, integers, weights)
    isempty(integers) && throw(BadArgument("integers", "expected a handle of compiled equations"))
    system = lookup(integers[1])
    system.n == rows || throw(BadArgument("integers", "the equations are of $(system.n) rows, expected $rows"))
    expect_integers(integers, 1 + 2 * system.nlags)
    expect_weights(weights, system.nparams)
    delays, row = integers[2:1+system.nlags], integers[2+system.nlags:end] .+ 1
    all(d -> 1 <= d <= columns, delays) || throw(BadArgument("integers", "a delay outside 1:$columns"))
    all(j -> 1 <= j <= rows, row) || throw(BadArgument("integers", "a row outside 1:$rows"))
    return EquationBoundary(system.rhs!, Vector(weights), columns + 1 .- delays, row, zeros(rows), zeros(system.nlags))
end

function compute!(next, b::EquationBoundary, ring::Matrix{Float64}, oldest::Int, ::Int)
    @inbounds for n in eachindex(b.lags)
        b.lags[n] = ring[b.row[n], place(oldest, b.column[n], size(ring, 2))]
    end
    b.rhs!(next, b.now, b.parameters, 0.0, b.lags)
end
