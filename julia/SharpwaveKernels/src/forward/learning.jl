# What is learned: the difference between two states that the outputs were nudged to.

struct Learning
    beta::Float64           # how strongly outputs are nudged
    constant::Bool          # by what they lack after settling freely, and not by what they lack all along
    both::Bool              # with beta and with -beta; else the second state is the free one
    contrastive::Bool       # from activities at both ends of a link; else from those after it, times the free ones before it
    decay::Float64
end

"States that the outputs are nudged to, from the free ones; the turn in which activities are."
function nudge!(n::RateNetwork, x::Space{T}, s::Settling, l::Learning, thread::Int, used::Int, beta::Float64, turn::Int) where {T}
    outputs, strength = length(n.sizes), T(2 * beta)
    begin!(x, thread, (k, i, j) -> x.free_state[k][i, j], turn)
    for j in axes(x.x, 2)
        @inbounds for i in x.rows[outputs, thread]
            lacking = x.target[i, j] - (l.constant ? x.free_state[outputs][i, j] : zero(T))
            x.nudged[i, j] = muladd(strength, lacking, x.constant[outputs][i, j])
        end
    end
    meet!(x.barrier)
    _, turn = settle!(n, x, s, thread, used, s.nudged_steps, -1.0, x.nudged, l.constant ? 1.0 : 1 + 2 * beta, turn)
    return turn
end

"Change a thread's rows of all weights; `used` examples count."
function learn!(n::RateNetwork, x::Space{T}, l::Learning, thread::Int, plus::Layers{T}, minus::Layers{T}, factor::Float64, decaying::Float64, used::Int) where {T}
    for link in n.links
        rows = x.rows[link.to, thread]
        (isempty(rows) || link.rate == 0) && continue
        l.decay == 0 || scale_rows!(link.matrix, T(1 - l.decay * decaying * link.rate), rows)
        rate, difference = T(factor * link.rate), x.drive[link.to]
        if l.contrastive && link.from > 0
            for (sign, states) in ((one(T), plus), (-one(T), minus))
                take!(difference, states[link.to], nothing, rows, used)
                add_outer!(link, x, difference, states[link.from], sign * rate, rows, thread)
            end
        else
            take!(difference, plus[link.to], minus[link.to], rows, used)
            add_outer!(link, x, difference, link.from == 0 ? x.x : x.free_active[link.from], rate, rows, thread)
        end
    end
    for k in eachindex(n.sizes)
        rate = T(factor * n.bias_rates[k])
        for j in 1:used
            @inbounds @simd ivdep for i in x.rows[k, thread]
                n.biases[k][i] += rate * (plus[k][i, j] - minus[k][i, j])
            end
        end
    end
end

"""
`matrix += rate * after * before'`. The rate goes to the higher layer's side, so that a link and one the other way round that begin as
each other's transpose stay so, bit for bit.
"""
function add_outer!(link::Link{T}, x::Space{T}, after::Matrix{T}, before::Matrix{T}, rate::T, rows, thread::Int) where {T}
    if link.to > link.from
        scale_rows!(after, rate, rows)
    else
        scaled = x.scaled[thread]
        for j in axes(before, 2)
            @inbounds @simd ivdep for i in axes(link.matrix, 2)
                scaled[i, j] = rate * before[i, j]
            end
        end
        before = scaled
    end
    add_rows!(link.matrix, after, PermutedDimsArray(before, (2, 1)), size(link.matrix, 2), first(rows), last(rows))
end

function take!(to::Matrix{T}, plus::Matrix{T}, minus, rows, used::Int) where {T}
    for j in axes(to, 2)
        @inbounds @simd ivdep for i in rows
            value = minus === nothing ? plus[i, j] : plus[i, j] - minus[i, j]
            to[i, j] = j > used ? zero(T) : value
        end
    end
end

function scale_rows!(matrix::Matrix{T}, by::T, rows) where {T}
    for j in axes(matrix, 2)
        @inbounds @simd ivdep for i in rows
            matrix[i, j] *= by
        end
    end
end
