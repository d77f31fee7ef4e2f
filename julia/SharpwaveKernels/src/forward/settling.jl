# How states change: u = b + links' activities, s += step (u - leak s), with activities s between 0 and 1; all layers at once, from the
# activities before. Each thread has examples of its own, and all weights, which all threads change alike: a core that reads what another
# one has just written waits for longer than it takes to compute it.

struct Settling
    free_steps::Int         # at most
    nudged_steps::Int
    step::Float64
    tolerance::Float64      # largest change of a state in a step after which free states have settled; 0: all steps are done
    clipped::Bool           # states, and not just activities, stay between 0 and 1
end

"Numbers of one kind of all units: one matrix (units, examples) a layer."
const Layers{T} = Vector{Matrix{T}}

"Room for the states of a batch."
struct Space{T}
    x::Matrix{T}                    # (inputs, examples)
    target::Matrix{T}
    constant::Layers{T}             # of u: bias and input
    lacking::Matrix{T}              # target less free activities of the outputs
    nudged::Layers{T}               # of u while outputs are nudged; where it is the same, the same matrix
    drive::Layers{T}
    state::Layers{T}
    active::Tuple{Layers{T},Layers{T}}      # before and after a step, in turns
    free_state::Layers{T}
    free_active::Layers{T}
    plus_active::Layers{T}
    networks::Vector{RateNetwork{T}}        # of each thread
    scaled::Vector{Matrix{T}}       # of each thread
    change::Matrix{Float64}         # largest of the last step, or NaN (layers, threads)
    largest::Matrix{Float64}        # of all layers, where threads decide together (threads, in turns)
    free_change::Matrix{Float64}    # that of the last free step (layers, threads)
    lost::Matrix{Bool}              # whether a state was not finite (layers, threads)
    columns::Vector{UnitRange{Int}} # of each thread
    barrier::Barrier
    stop::Threads.Atomic{Bool}
end

function Space(n::RateNetwork{T}, examples::Int, threads::Int) where {T}
    layers() = [zeros(T, padded(size), examples) for size in n.sizes]
    outputs() = zeros(T, padded(n.sizes[end]), examples)
    constant, last_layer = layers(), length(n.sizes)
    told(k) = k == last_layer || any(link -> link.from > last_layer && link.to == k, n.links)
    nudged = [told(k) ? copy(constant[k]) : constant[k] for k in eachindex(n.sizes)]
    pairs = cld(examples, 2)
    share(thread) = 2 * div(pairs * (thread - 1), threads) + 1:min(2 * div(pairs * thread, threads), examples)
    return Space{T}(zeros(T, n.inputs, examples), outputs(), constant, outputs(), nudged, layers(), layers(), (layers(), layers()), layers(),
                    layers(), layers(), [t == 1 ? n : deepcopy(n) for t in 1:threads], [zeros(T, maximum(padded, n.sizes), examples) for _ in 1:threads],
                    zeros(length(n.sizes), threads), zeros(threads, 2), zeros(length(n.sizes), threads), zeros(Bool, length(n.sizes), threads),
                    share.(1:threads), Barrier(threads), Threads.Atomic{Bool}(false))
end

"A thread's columns, of those that are used."
own_columns(x::Space, thread::Int, used::Int) = intersect(x.columns[thread], 1:used)

"What does not change while states settle."
function set_constant!(n::RateNetwork, x::Space, columns)
    for k in eachindex(n.sizes)
        for j in columns
            @inbounds @simd ivdep for i in axes(x.constant[k], 1)
                x.constant[k][i, j] = n.biases[k][i]
            end
        end
        drive!(x.constant[k], n, k, 0:0, (x.x,), columns)
    end
end

"Add what links from these layers to layer k bring, of whose activities `sources` has one matrix each."
function drive!(u::Matrix, n::RateNetwork, k::Int, from, sources, columns)
    for (link, matrix) in zip(n.links, n.weights)
        link.to == k && link.from in from || continue
        source = view(sources[link.from-first(from)+1], :, columns)
        add_rows!(view(u, :, columns), matrix, source, length(columns), 1, size(u, 1))
    end
end

copy_columns!(to::Matrix, from::Matrix, columns) = @inbounds for j in columns
    @simd ivdep for i in axes(to, 1)
        to[i, j] = from[i, j]
    end
end

"""
Up to so many steps of a thread's examples, in which this is constant, and outputs leak so much, what is more
than 1 into the links from what they lack too. How many were done, and in which of the turns
activities are afterwards. At rest, nothing is active at first. With a tolerance from 0 on, threads wait for each other, and know the same.
"""
function settle!(n::RateNetwork, x::Space{T}, s::Settling, thread::Int, columns, steps::Int, tolerance::Float64, constant::Layers{T}, leak::Float64, turn::Int, at_rest::Bool) where {T}
    last_layer = length(n.sizes)
    for done in 1:steps
        leak == 1 || scale_into!(x.scaled[thread], x.active[turn][last_layer], T(1 - leak), axes(x.target, 1), columns)
        for k in eachindex(n.sizes)
            u = x.drive[k]
            copy_columns!(u, constant[k], columns)
            at_rest && done == 1 || drive!(u, n, k, 1:last_layer, x.active[turn], columns)
            leak == 1 || drive!(u, n, k, last_layer+1:last_layer+1, (x.scaled[thread],), columns)
            x.change[k, thread] = move!(x.state[k], x.active[3-turn][k], u, columns, T(s.step), T(k == last_layer ? leak : 1.0), s.clipped)
        end
        turn = 3 - turn
        tolerance < 0 && continue
        x.largest[thread, turn] = maximum(view(x.change, :, thread))
        meet!(x.barrier)
        maximum(view(x.largest, :, turn)) <= tolerance && return done, turn
    end
    for k in eachindex(n.sizes)
        x.lost[k, thread] |= !isfinite(x.change[k, thread])
    end
    return steps, turn
end

unit(value::T) where {T} = ifelse(value < zero(T), zero(T), ifelse(value > one(T), one(T), value))

bits(value::Float32) = reinterpret(UInt32, value)
bits(value::Float64) = reinterpret(UInt64, value)

"The largest change; NaN if there is one. It is found among bits, where vector instructions find it, and NaN is above all numbers."
function move!(state::Matrix{T}, active::Matrix{T}, u::Matrix{T}, columns, step::T, leak::T, clipped::Bool) where {T}
    largest = bits(zero(T))
    for j in columns
        @inbounds @simd ivdep for i in axes(state, 1)
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
function begin!(states::F, x::Space, columns, turn::Int) where {F}
    for k in eachindex(x.state), j in columns
        @inbounds for i in axes(x.state[k], 1)
            value = states(k, i, j)
            x.state[k][i, j] = value
            x.active[turn][k][i, j] = unit(value)
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
