# Waves whose columns are not simply the last steps' values: columns are sums over the memory.

struct Mixture
    column::Vector{Int}             # 0: what is added to the next value
    place::Vector{Int}              # in the memory, 1 the oldest
    weight::Vector{Float64}
end

function mixture(columns::Int, memory::Int, column, place, weight)
    isempty(column) || columns <= length(column) || throw(BadArgument("seen_column", "expected each of $columns columns, got $(length(column))"))
    isempty(column) && memory != columns && throw(BadArgument("substrate", "expected a memory of $columns columns, got $memory"))
    all(i -> 0 <= i <= columns, column) || throw(BadArgument("seen_column", "a column outside 0:$columns"))
    all(i -> 1 <= i <= memory, place) || throw(BadArgument("seen_place", "a place outside 1:$memory"))
    return Mixture(column, place, weight)
end

"The columns, from a ring of the memory."
function see!(seen::Matrix{Float64}, m::Mixture, ring::Matrix{Float64}, oldest::Int)
    fill!(seen, 0.0)
    @inbounds for n in eachindex(m.column)
        m.column[n] == 0 && continue
        weight, column, from = m.weight[n], m.column[n], place(oldest, m.place[n], size(ring, 2))
        @simd ivdep for j in axes(ring, 1)
            seen[j, column] += weight * ring[j, from]
        end
    end
end

"Add what comes in again to the next value."
function come_in!(next::Vector{Float64}, m::Mixture, ring::Matrix{Float64}, oldest::Int)
    @inbounds for n in eachindex(m.column)
        m.column[n] == 0 || continue
        weight, from = m.weight[n], place(oldest, m.place[n], size(ring, 2))
        @simd ivdep for j in axes(ring, 1)
            next[j] += weight * ring[j, from]
        end
    end
end
