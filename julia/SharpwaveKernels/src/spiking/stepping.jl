# One step of one example: arrivals, new states, spikes and their traces.

const SPIKE_STREAM = 1 << 16        # streams: inputs are numbered by population, choices among spikers and noise follow
const NOISE_STREAM = 2 << 16
const UNITS_AT_ONCE = 128           # of a population: where none of them crosses, none is looked at

"One step of one example: arrivals of the last step's spikes, then new states, spikes and traces. Steps count from 1."
function advance!(r::Run{T}, lane::Lane{T}, step::Int) where {T}
    net = r.net
    for c in net.connections
        isempty(lane.layers[c.pre].spikes) || deliver!(r, lane, c, step)
    end
    for l in net.laterals
        isempty(lane.layers[l.pre].spikes) || inhibit!(net, lane, l, step)
    end
    for k in eachindex(net.populations)
        p, layer = net.populations[k], lane.layers[k]
        if is_input(p)
            input_spikes!(layer.spikes, lane.inputs, k, step)
        else
            update!(r, lane, p, layer, k, step)
        end
        isempty(layer.spikes) || note_spikes!(r, lane, layer, k, step)
    end
    r.learning && expect_changes!(r, lane, step)
    for m in r.monitors
        step % m.every == 0 && monitor!(r, lane, m, step)
    end
end

"The arrivals of a channel that act in a step."
@inline arrivals_at(p::Population, layer::Layer{T}, channel::Int, step::Int) where {T} =
    pointer(layer.arrivals, ((channel - 1) * layer.slots + step % layer.slots) * p.units + 1)

# Up to so many groups, the rows of a step are added group by group.
const MOST_LISTED_GROUPS = 64

function deliver!(r::Run{T}, lane::Lane{T}, c::Connection, step::Int) where {T}
    if c.delay_kind == same_delay && 1 < c.blocks.length && groups(c.blocks) <= MOST_LISTED_GROUPS
        deliver_rows!(r, lane, c, step)
    elseif c.delay_kind == synaptic_delay
        deliver_singly!(r, lane, c, step)
    else
        deliver_blocks!(r, lane, c, step)
    end
end

"Dense and locally connected layers: all rows for a group, then the next group."
function deliver_rows!(r::Run{T}, lane::Lane{T}, c::Connection, step::Int) where {T}
    b, lists, spikes = c.blocks, lane.rows, lane.layers[c.pre].spikes
    weights, room = r.weights + sizeof(T) * c.first_weight, length(spikes)
    make_room!(lists, groups(b), room)
    rows, counts = lists.rows, lists.counts
    @inbounds for i in spikes, k in b.first_block[i]:b.first_block[i+1]-1
        g = b.block_group[k]
        counts[g] += 1
        rows[(g-1)*room+counts[g]] = weights + sizeof(T) * b.block_weight[k]
    end
    target = arrivals_at(r.net.populations[c.post], lane.layers[c.post], c.channel, step - 1 + c.delays[1])
    @inbounds for g in 1:groups(b)
        add_all!(target + sizeof(T) * b.offset[g], lists.rows, (g - 1) * room, lists.counts[g], b.length)
    end
end

function deliver_blocks!(r::Run{T}, lane::Lane{T}, c::Connection, step::Int) where {T}
    p, layer, b = r.net.populations[c.post], lane.layers[c.post], c.blocks
    weights, n = r.weights + sizeof(T) * c.first_weight, b.length
    @inbounds for i in lane.layers[c.pre].spikes
        target = arrivals_at(p, layer, c.channel, step - 1 + c.delays[c.delay_kind == same_delay ? 1 : i])
        if n == 1
            for k in b.first_block[i]:b.first_block[i+1]-1
                j = b.block_target[k] + 1
                unsafe_store!(target, unsafe_load(target, j) + unsafe_load(weights, b.block_weight[k] + 1), j)
            end
        else
            for k in b.first_block[i]:b.first_block[i+1]-1
                add_rows!(target + sizeof(T) * b.block_target[k], (weights + sizeof(T) * b.block_weight[k],), n)
            end
        end
    end
end

"Each synapse has a delay of its own."
function deliver_singly!(r::Run{T}, lane::Lane{T}, c::Connection, step::Int) where {T}
    p, layer, b = r.net.populations[c.post], lane.layers[c.post], c.blocks
    weights = r.weights + sizeof(T) * c.first_weight
    first, slots = pointer(layer.arrivals, (c.channel - 1) * layer.slots * p.units + 1), layer.slots
    @inbounds for i in lane.layers[c.pre].spikes, k in b.first_block[i]:b.first_block[i+1]-1
        w, j = b.block_weight[k], Int(b.block_target[k])
        for l in 1:b.length
            slot = (step - 1 + c.delays[w+l]) % slots
            at = slot * p.units + j + l
            unsafe_store!(first, unsafe_load(first, at) + unsafe_load(weights, w + l), at)
        end
    end
end

"Each group's spikes times the strength, less a unit's own."
function inhibit!(net::Network, lane::Lane{T}, l::Lateral, step::Int) where {T}
    p, layer, spikes = net.populations[l.post], lane.layers[l.post], lane.layers[l.pre].spikes
    target = arrivals_at(p, layer, l.channel, step)
    for i in spikes
        lane.group_count[(i - 1) ÷ l.group + 1] += 1
        lane.group_own[i] += 1
    end
    for i in spikes
        g = (i - 1) ÷ l.group
        lane.group_count[g+1] == 0 && continue
        inhibit_group!(target, pointer(lane.group_own), lane.group_count[g+1], T(l.strength), g * l.group + 1, (g + 1) * l.group)
        lane.group_count[g+1] = 0
    end
    for i in spikes
        lane.group_own[i] = 0
    end
end

@inline function inhibit_group!(target::Ptr{T}, own::Ptr{T}, count::T, strength::T, first::Int, last::Int) where {T}
    @simd ivdep for j in first:last
        unsafe_store!(target, unsafe_load(target, j) + strength * (count - unsafe_load(own, j)), j)
    end
end

@inline function clear_slot!(target::Ptr{T}, first::Int, last::Int) where {T}
    @simd ivdep for j in first:last
        unsafe_store!(target, 0.0, j)
    end
end

"New states of a population, and which of its units spike."
function update!(r::Run{T}, lane::Lane{T}, p::Population, layer::Layer{T}, k::Int, step::Int) where {T}
    for channel in 1:p.channels
        layer.arrays[p.states+channel] = arrivals_at(p, layer, channel, step)
    end
    p.time && (layer.step_scalars[end] = layer.reset_scalars[end] = step * r.dt)
    p.uniform && draw_uniform!(layer.uniform, r.seed, NOISE_STREAM + k, lane.example, step)
    arrays = pointer(layer.arrays)
    empty!(layer.crossing)
    empty!(layer.spikes)
    GC.@preserve layer begin
        for first in 1:UNITS_AT_ONCE:p.units
            last = min(first + UNITS_AT_ONCE - 1, p.units)
            some = run_units(p.step, arrays, pointer(layer.step_scalars), first, last)
            some > 0 && note_crossings!(p, layer, arrays, first, last)
            for channel in 1:p.channels                             # while they are near
                clear_slot!(layer.arrays[p.states+channel], first, last)
            end
        end
    end
    isempty(layer.crossing) && return
    if p.one_spike && length(layer.crossing) > 1
        word = random_words(r.seed, SPIKE_STREAM + k, lane.example, step, 0)[1]
        add!(layer.spikes, layer.crossing[1+floor(Int, unit_interval(word) * length(layer.crossing))])
    else
        for i in layer.crossing
            add!(layer.spikes, i)
        end
    end
end

@inline function note_crossings!(p::Population, layer::Layer, arrays, first::Int, last::Int)
    crossed, from = layer.crossed, first
    @inbounds while from <= last
        to, any_crossed = min(from + 15, last), zero(eltype(crossed))
        @simd for i in from:to
            any_crossed += crossed[i]
        end
        if any_crossed != 0
            for i in from:to
                crossed[i] == 0 && continue
                add!(layer.crossing, i)
                run_units(p.reset, arrays, pointer(layer.reset_scalars), i, i)
            end
        end
        from = to + 1
    end
end

function draw_uniform!(uniform::Vector{T}, seed::Int, stream::Int, example::Int, step::Int) where {T}
    for block in 0:(length(uniform)-1)÷4
        words = random_words(seed, stream, example, step, block)
        for w in 1:min(4, length(uniform) - 4 * block)
            uniform[4*block+w] = unit_interval(words[w])
        end
    end
end

"Counts, traces and records of a step's spikes."
function note_spikes!(r::Run{T}, lane::Lane{T}, layer::Layer{T}, k::Int, step::Int) where {T}
    p = r.net.populations[k]
    followed = any(t -> p.traces[t].adds || p.keeps_before[t], eachindex(p.traces))
    last, counts = layer.last, layer.counts
    @inbounds for i in layer.spikes
        followed && follow_traces!(r, p, layer, k, i, step)
        last[i] == 0 && note_first!(r, lane, layer, k, i)
        last[i] = step
        counts[i] += 1
    end
    if r.recorded[k]
        for i in layer.spikes
            add!(layer.recorded_steps, step - 1)
            add!(layer.recorded_units, i - 1)
        end
    end
end

function follow_traces!(r::Run{T}, p::Population, layer::Layer{T}, k::Int, i::Int32, step::Int) where {T}
    for (t, trace) in enumerate(p.traces)
        before = trace_value(layer, r.decays[k], t, i, step)
        layer.before[t][i] = before
        trace.adds && (layer.traces[t][i] = before + 1)
    end
end

"A unit's first spike in an example."
function note_first!(r::Run{T}, lane::Lane{T}, layer::Layer{T}, k::Int, i::Int32) where {T}
    add!(layer.active, i)
    for (m, c) in enumerate(r.net.connections)
        c.post == k && plastic(c) || continue
        g = c.blocks.group_of[i]
        g > 0 || continue
        l = lane.learning[m]
        l.count[g] += 1
        l.active[(g-1)*c.blocks.length+l.count[g]] = i
    end
end

"The value of a trace of unit i in a step."
@inline trace_value(layer::Layer{T}, decays::Vector{Vector{T}}, t::Int, i::Integer, step::Int) where {T} =
    @inbounds layer.last[i] == 0 ? zero(T) : layer.traces[t][i] * decays[t][step-layer.last[i]+1]

function monitor!(r::Run{T}, lane::Lane{T}, m::Monitor, step::Int) where {T}
    at = m.first_value + (step ÷ m.every - 1) * length(m.units)
    array = lane.layers[m.population].arrays[m.array]
    for (n, i) in enumerate(m.units)
        r.monitored[at+n, lane.example-r.first_example+1] = unsafe_load(array, i)
    end
end
