# What is learned: the difference between two states that the outputs were nudged to.

struct Learning
    beta::Float64           # how strongly outputs are nudged
    constant::Bool          # by what they lack after settling freely, and not by what they lack all along
    both::Bool              # with beta and with -beta; else the second state is the free one
    contrastive::Bool       # from activities at both ends of a link; else from those after it, times the free ones before it
    decay::Float64
end

"States that the outputs are nudged to, from the free ones; the turn in which activities are."
function nudge!(n::RateNetwork, x::Space{T}, s::Settling, l::Learning, thread::Int, columns, beta::Float64, turn::Int) where {T}
    outputs, strength = length(n.sizes), T(2 * beta)
    for k in eachindex(n.sizes)
        copy_columns!(x.state[k], x.free_state[k], columns)
        copy_columns!(x.active[turn][k], x.free_active[k], columns)
    end
    for j in columns
        @inbounds for i in axes(x.target, 1)
            x.lacking[i, j] = x.target[i, j] - x.free_active[outputs][i, j]
            x.scaled[thread][i, j] = strength * (l.constant ? x.lacking[i, j] : x.target[i, j])
        end
    end
    for k in eachindex(n.sizes)
        x.nudged[k] === x.constant[k] && continue
        copy_columns!(x.nudged[k], x.constant[k], columns)
        drive!(x.nudged[k], n, k, outputs+1:outputs+1, (x.scaled[thread],), columns)
    end
    for j in columns
        @inbounds for i in axes(x.target, 1)
            x.nudged[outputs][i, j] += strength * (x.target[i, j] - (l.constant ? x.free_state[outputs][i, j] : zero(T)))
        end
    end
    _, turn = settle!(n, x, s, thread, columns, s.nudged_steps, -1.0, x.nudged, l.constant ? 1.0 : 1 + 2 * beta, turn, false)
    return turn
end

"Nudge, and put the difference into `drive`. The two states that it is between."
function compare!(n::RateNetwork, x::Space{T}, s::Settling, l::Learning, thread::Int, columns, turn::Int) where {T}
    turn = nudge!(n, x, s, l, thread, columns, l.beta, turn)
    if l.both
        for k in eachindex(n.sizes)
            copy_columns!(x.plus_active[k], x.active[turn][k], columns)
        end
        turn = nudge!(n, x, s, l, thread, columns, -l.beta, turn)
    end
    plus, minus = l.both ? (x.plus_active, x.active[turn]) : (x.active[turn], x.free_active)
    for k in eachindex(n.sizes), j in columns
        @inbounds @simd ivdep for i in axes(x.drive[k], 1)
            x.drive[k][i, j] = plus[k][i, j] - minus[k][i, j]
        end
    end
    return plus, minus, turn
end

"Change a thread's weights by what all examples bring; `used` of them count."
function learn!(n::RateNetwork, x::Space{T}, l::Learning, thread::Int, used::Int, plus::Layers{T}, minus::Layers{T}, factor::Float64, decaying::Float64) where {T}
    for (link, matrix) in zip(n.links, n.weights)
        link.rate == 0 && continue
        rate, kept = T(factor * link.rate), T(1 - l.decay * decaying * link.rate)
        if l.contrastive && 0 < link.from <= length(n.sizes)
            add_outer!(matrix, link, x.scaled[thread], plus[link.to], plus[link.from], rate, kept, used)
            add_outer!(matrix, link, x.scaled[thread], minus[link.to], minus[link.from], -rate, one(T), used)
        else
            before = link.from == 0 ? x.x : link.from > length(n.sizes) ? x.lacking : x.free_active[link.from]
            add_outer!(matrix, link, x.scaled[thread], x.drive[link.to], before, rate, kept, used)
        end
    end
    for k in eachindex(n.sizes)
        rate = T(factor * n.bias_rates[k])
        for j in 1:used
            @inbounds @simd ivdep for i in eachindex(n.biases[k])
                n.biases[k][i] += rate * x.drive[k][i, j]
            end
        end
    end
end

"""
`matrix = kept * matrix + rate * after * before'`. The rate goes to the higher layer's side, so that a link and one the other way round that begin as
each other's transpose stay so, bit for bit.
"""
function add_outer!(matrix::Matrix{T}, link::Link, scaled::Matrix{T}, after::Matrix{T}, before::Matrix{T}, rate::T, kept::T, used::Int) where {T}
    if link.to > link.from
        scale_into!(scaled, after, rate, axes(matrix, 1), 1:used)
        after = scaled
    else
        scale_into!(scaled, before, rate, axes(matrix, 2), 1:used)
        before = scaled
    end
    after, turned = view(after, :, 1:used), PermutedDimsArray(view(before, :, 1:used), (2, 1))
    for first in 1:COLUMNS:size(matrix, 2)
        columns = first:min(first + COLUMNS - 1, size(matrix, 2))       # few enough to stay in the cache for both
        part = view(matrix, :, columns)
        kept == 1 || scale!(part, kept)
        add_rows!(part, after, view(turned, :, columns), length(columns), 1, size(matrix, 1))
    end
end

const COLUMNS = 8

function scale!(part, by)
    for j in axes(part, 2)
        @inbounds @simd ivdep for i in axes(part, 1)
            part[i, j] *= by
        end
    end
end

function scale_into!(to::Matrix{T}, from::Matrix{T}, by::T, rows, columns) where {T}
    for j in columns
        @inbounds @simd ivdep for i in rows
            to[i, j] = by * from[i, j]
        end
    end
end
