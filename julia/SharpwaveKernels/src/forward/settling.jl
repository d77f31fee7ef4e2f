# How states change: u = b + links' activities, s += step (u - leak s), with activities s between 0 and 1; all layers at once, from
# the activities before. Each thread moves rows of its own in every layer, and meets the others after each step.

struct Settling
    free_steps::Int         # at most
    nudged_steps::Int
    step::Float64
    tolerance::Float64      # largest change of a state in a step after which free states have settled; 0: all steps are done
    clipped::Bool           # states, and not just activities, stay between 0 and 1
end

"Layers' activities, of one kind: one matrix (units, examples) a layer."
const Layers{T} = Vector{Matrix{T}}

"Room for the states of a batch."
struct Space{T}
    x::Matrix{T}                    # (inputs, examples)
    target::Matrix{T}
    constant::Layers{T}             # of u: bias and input
    nudged::Matrix{T}               # that of the outputs while they are nudged
    drive::Layers{T}
    state::Layers{T}
    active::Tuple{Layers{T},Layers{T}}      # before and after a step, in turns
    free_state::Layers{T}
    free_active::Layers{T}
    plus_active::Layers{T}
    scaled::Vector{Matrix{T}}       # one a thread
    change::Array{Float64,3}        # largest of a step, or NaN (layers, threads, in turns)
    rows::Matrix{UnitRange{Int}}    # (layers, threads)
    barrier::Barrier
    stop::Threads.Atomic{Bool}
end

function Space(n::RateNetwork{T}, examples::Int, threads::Int) where {T}
    layers() = [zeros(T, padded(size), examples) for size in n.sizes]
    widest = maximum(link -> size(link.matrix, 2), n.links)
    outputs() = zeros(T, padded(n.sizes[end]), examples)
    return Space{T}(zeros(T, n.inputs, examples), outputs(), layers(), outputs(), layers(), layers(), (layers(), layers()), layers(),
                    layers(), layers(), [zeros(T, widest, examples) for _ in 1:threads], zeros(length(n.sizes), threads, 2),
                    [shared_rows(size, t, threads) for size in n.sizes, t in 1:threads], Barrier(threads),
                    Threads.Atomic{Bool}(false))
end

"Whole chunks of rows for one of some threads; the last ones get what is left over."
function shared_rows(size::Int, thread::Int, threads::Int)
    chunks = cld(size, CHUNK)
    return div(chunks * (thread - 1), threads) * CHUNK + 1:div(chunks * thread, threads) * CHUNK
end

active(x::Space, n::RateNetwork, turn::Int, layer::Int) = layer == 0 ? x.x : x.active[turn][layer]

"What does not change while states settle."
function set_constant!(n::RateNetwork, x::Space, thread::Int)
    for k in eachindex(n.sizes)
        rows = x.rows[k, thread]
        for j in axes(x.x, 2)
            @inbounds @simd ivdep for i in rows
                x.constant[k][i, j] = n.biases[k][i]
            end
        end
        for link in n.links
            link.to == k && link.from == 0 && add_rows!(x.constant[k], link.matrix, x.x, size(x.x, 2), first(rows), last(rows))
        end
    end
end

copy_rows!(to::Matrix, from::Matrix, rows) = @inbounds for j in axes(to, 2)
    @simd ivdep for i in rows
        to[i, j] = from[i, j]
    end
end

"""
Up to so many steps of the first `used` examples, in which outputs have this constant and leak. How many were done, and in which of the turns activities are
afterwards; all threads know the same.
"""
function settle!(n::RateNetwork, x::Space{T}, s::Settling, thread::Int, used::Int, steps::Int, tolerance::Float64, outputs::Matrix{T}, leak::Float64, turn::Int) where {T}
    last_layer = length(n.sizes)
    for done in 1:steps
        for k in eachindex(n.sizes)
            rows = x.rows[k, thread]
            isempty(rows) && continue
            u = x.drive[k]
            copy_rows!(u, k == last_layer ? outputs : x.constant[k], rows)
            for link in n.links
                link.to == k && link.from > 0 && add_rows!(u, link.matrix, x.active[turn][link.from], size(u, 2), first(rows), last(rows))
            end
            x.change[k, thread, turn] = move!(x.state[k], x.active[3-turn][k], u, rows, used, T(s.step), T(k == last_layer ? leak : 1.0), s.clipped)
        end
        meet!(x.barrier)
        turn = 3 - turn
        largest_change(x, turn) <= tolerance && return done, turn
    end
    return steps, turn
end

"Of the step that led to this turn; NaN if a state is not finite."
largest_change(x::Space, turn::Int) = maximum(view(x.change, :, :, 3 - turn))

unit(value::T) where {T} = ifelse(value < zero(T), zero(T), ifelse(value > one(T), one(T), value))

bits(value::Float32) = reinterpret(UInt32, value)
bits(value::Float64) = reinterpret(UInt64, value)

"The largest change; NaN if there is one. It is found among bits, where vector instructions find it, and NaN is above all numbers."
function move!(state::Matrix{T}, active::Matrix{T}, u::Matrix{T}, rows, used::Int, step::T, leak::T, clipped::Bool) where {T}
    largest = bits(zero(T))
    for j in 1:used
        @inbounds @simd ivdep for i in rows
            before = state[i, j]
            now = muladd(step, u[i, j] - leak * before, before)
            now = clipped ? unit(now) : now
            largest = max(largest, bits(abs(now - before)))
            state[i, j] = now
            active[i, j] = unit(now)
        end
    end
    return Float64(reinterpret(T, largest))
end

"Begin with these states."
function begin!(x::Space, thread::Int, states, turn::Int)
    for k in eachindex(x.state), j in axes(x.x, 2)
        @inbounds for i in x.rows[k, thread]
            x.state[k][i, j] = states(k, i, j)
            x.active[turn][k][i, j] = unit(x.state[k][i, j])
        end
    end
end

"At the end of a batch: whether the caller wants no more; all threads know the same."
function end_batch!(x::Space, control::Control, batch::Int, thread::Int)
    if thread == 1
        progress!(control, batch)
        x.stop[] = cancelled(control)
    end
    meet!(x.barrier)
    return x.stop[]
end
