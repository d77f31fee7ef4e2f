# v = decay v + scale (sum of the weights from all that fired); a unit whose v is above its threshold fires, begins at 0 again, and its
# weights change: up from those that fired, down from the others, both the less, the more they are above 0.

struct Rule{T}
    decay::T
    scale::T
    raise::T
    lower::T
    width::T                # of the range of weights about 0 in which changes go over from twice as large to none
end

"A layer of integrate-and-fire units."
struct Layer{T}
    weights::Matrix{T}      # (units before, units)
    threshold::T
    potential::Vector{T}
    fired::Vector{Bool}
    spikes::Vector{Int}     # of each thread
end

"What a thread knows of the units before a layer."
struct Before{T}
    active::Vector{Int}     # those that fired; the first `look!` returns
    change::Vector{T}       # of a weight from each unit, before it is made less
end

"How many fired."
function look!(b::Before{T}, fired, rule::Rule{T}) where {T}
    count = 0
    @inbounds for i in eachindex(fired)
        b.active[count+1] = i
        yes = fired[i] != 0
        count += yes
        b.change[i] = ifelse(yes, rule.raise, -rule.lower)
    end
    return count
end

"exp for the numbers that `learn!` needs, in a form that goes into vector instructions: e^x = 2^n e^r, |r| <= ln 2 / 2."
@inline function quick_exp(x::Float32)
    shifted = muladd(x, 1.442695f0, 1.2582912f7)            # rounded to whole numbers by its size
    n = shifted - 1.2582912f7
    r = muladd(n, -0.6931472f0, x)
    p = muladd(r, 0.0013888889f0, 0.008333334f0)
    p = muladd(r, muladd(r, muladd(r, muladd(r, muladd(r, p, 0.041666668f0), 0.16666667f0), 0.5f0), 1.0f0), 1.0f0)
    return p * reinterpret(Float32, (reinterpret(Int32, shifted) << 23) + reinterpret(Int32, 1.0f0))
end
@inline quick_exp(x::Float64) = exp(x)

"Twice as much as for weights of 0 where they are far below, nothing where they are far above: 2 - 2 / (1 + e^(-w / width))."
@inline function room(w::T, width::T) where {T}
    e = quick_exp(min(max(-w / width, T(-40)), T(40)))
    return 2e / (1 + e)
end

function learn!(weights::Matrix{T}, unit::Int, change::Vector{T}, width::T) where {T}
    @inbounds @simd ivdep for i in axes(weights, 1)
        weights[i, unit] += change[i] * room(weights[i, unit], width)
    end
end

"Let some units take a step. How many fired."
function step!(layer::Layer{T}, b::Before{T}, active::Int, rule::Rule{T}, units) where {T}
    spikes = 0
    @inbounds for j in units
        arriving = zero(T)
        for k in 1:active
            arriving += layer.weights[b.active[k], j]
        end
        v = rule.decay * layer.potential[j] + rule.scale * arriving
        fires = v > layer.threshold
        layer.fired[j] = fires
        layer.potential[j] = ifelse(fires, zero(T), v)
        fires || continue
        spikes += 1
        learn!(layer.weights, j, b.change, rule.width)
    end
    return spikes
end

"Sleep, driven by spikes (inputs, steps)."
function sleep!(layers::Vector{Layer{T}}, rule::Rule{T}, spikes::AbstractMatrix{UInt8}, threads::Int, control::Control) where {T}
    barrier, stop = Barrier(threads), Threads.Atomic{Bool}(false)
    share(layer, thread) = (n = length(layer.fired); div(n * (thread - 1), threads)+1:div(n * thread, threads))
    on_threads(barrier) do thread
        before = [Before{T}(zeros(Int, size(l.weights, 1) + 1), zeros(T, size(l.weights, 1))) for l in layers]
        own = [share(l, thread) for l in layers]
        for t in axes(spikes, 2)
            for k in eachindex(layers)
                b = before[k]
                active = k == 1 ? look!(b, view(spikes, :, t), rule) : look!(b, layers[k-1].fired, rule)
                layers[k].spikes[thread] += step!(layers[k], b, active, rule, own[k])
                meet!(barrier)
            end
            t % 100 == 0 || continue
            if thread == 1
                progress!(control, t)
                stop[] = cancelled(control)
            end
            meet!(barrier)
            stop[] && return
        end
    end
end
