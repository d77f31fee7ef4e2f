# What one example needs while it runs: the states of all populations, arrivals under way, traces. A batch is some of these.

"A population within one example. A unit is active from its first spike in the example on."
mutable struct Layer
    values::Vector{Float64}         # unit by unit, state after state
    arrivals::Vector{Float64}       # unit by unit, slot after slot, channel after channel: slot t mod slots acts in step t
    uniform::Vector{Float64}
    crossed::Vector{Float64}
    arrays::Vector{Ptr{Float64}}    # of its programs
    step_scalars::Vector{Float64}
    reset_scalars::Vector{Float64}
    slots::Int
    crossing::Vector{Int32}         # units that crossed in this step, and those of them that spike
    spikes::Vector{Int32}
    active::Vector{Int32}
    last::Vector{Int32}             # step of a unit's last spike, 0 if there is none
    counts::Vector{Int32}           # spikes of a unit
    traces::Vector{Vector{Float64}} # by trace: values at the last spike, after and before it
    before::Vector{Vector{Float64}}
    recorded_steps::Vector{Int32}
    recorded_units::Vector{Int32}
end

function Layer(p::Population, slots::Int, columns::Ptr{Float64})
    n = p.units
    layer = Layer(zeros(n * p.states), zeros(n * slots * p.channels), zeros(p.uniform ? n : 0), zeros(n), Ptr{Float64}[],
                  copy(p.step_scalars), copy(p.reset_scalars), slots, Int32[], Int32[], Int32[], zeros(Int32, n), zeros(Int32, n),
                  [zeros(n) for _ in p.traces], [zeros(n) for _ in p.traces], Int32[], Int32[])
    for k in 0:p.states-1
        push!(layer.arrays, pointer(layer.values, k * n + 1))
    end
    for k in 0:p.channels-1
        push!(layer.arrays, pointer(layer.arrivals, k * slots * n + 1))
    end
    for k in 0:p.columns-1
        push!(layer.arrays, columns + 8 * (p.first_column + k * n))
    end
    p.uniform && push!(layer.arrays, pointer(layer.uniform))
    push!(layer.arrays, pointer(layer.crossed))
    sizehint!(layer.crossing, n)
    sizehint!(layer.spikes, n)
    sizehint!(layer.active, n)
    return layer
end

"Active postsynaptic units of a plastic connection, by group: a chain from `head[g]` through `next[j]`, 0 at its end."
struct Chains
    head::Vector{Int32}
    next::Vector{Int32}
end

mutable struct Lane
    example::Int                    # its number among all examples, from 0
    layers::Vector{Layer}
    chains::Vector{Chains}          # by connection
    eligibility::Vector{Vector{Float64}}    # by connection and weight
    inputs::InputSpikes
    group_count::Vector{Float64}    # room for inhibition
    group_own::Vector{Float64}
end

function Lane(net::Network, steps::Int, columns::Ptr{Float64})
    slots = arrival_slots(net)
    layers = [Layer(p, slots[k], columns) for (k, p) in enumerate(net.populations)]
    chains = [plastic(c) ? Chains(zeros(Int32, groups(c.blocks)), zeros(Int32, net.populations[c.post].units)) :
              Chains(Int32[], Int32[]) for c in net.connections]
    eligibility = [plastic(c) && c.rule.eligibility > 0 ? zeros(weights_of(net, m)) : Float64[] for (m, c) in enumerate(net.connections)]
    most = maximum([0; [net.populations[l.pre].units for l in net.laterals]])
    Lane(0, layers, chains, eligibility, InputSpikes(net, steps), zeros(most), zeros(most))
end

"A state or column of some units, kept every so many steps."
struct Monitor
    population::Int
    array::Int
    every::Int
    units::Vector{Int32}
    first_value::Int
end

"What a run is: the network, the caller's arrays and settings, and tables made from them."
struct Run
    net::Network
    control::Control
    weights::Ptr{Float64}
    columns::Ptr{Float64}
    initial::Matrix{Float64}        # (state, all or each example)
    rates::Matrix{Float64}          # (input unit, example), Hz or probabilities
    event_first::Vector{Int}        # the caller's events by example: first_event[k]+1:first_event[k+1]
    event_step::Vector{Int32}
    event_unit::Vector{Int32}
    reward::Matrix{Float64}         # (once or by step, example)
    examples::Int
    first_example::Int
    steps::Int
    input_steps::Int                # of these, how many have input
    dt::Float64
    seed::Int
    learning::Bool
    recorded::Vector{Bool}          # populations whose spikes are kept
    decays::Vector{Vector{Vector{Float64}}}     # by population and trace: decay^0, decay^1, ...
    monitors::Vector{Monitor}
    monitored::Matrix{Float64}      # (value, example)
end

weights_of(net::Network, m::Int) =
    (m < length(net.connections) ? net.connections[m+1].first_weight : net.weights) - net.connections[m].first_weight

"Everything as before the first step; costs no more than what the last example touched, but for states and arrivals."
function clear!(lane::Lane, r::Run)
    net, column = r.net, min(lane.example - r.first_example + 1, size(r.initial, 2))
    for (k, layer) in enumerate(lane.layers)
        p = net.populations[k]
        copyto!(layer.values, 1, r.initial, (column - 1) * size(r.initial, 1) + p.first_state + 1, length(layer.values))
        fill!(layer.arrivals, 0.0)
        for (m, c) in enumerate(net.connections)
            c.post == k && plastic(c) || continue
            for j in layer.active
                g = c.blocks.group_of[j]
                g > 0 && (lane.chains[m].head[g] = 0)
            end
        end
        for i in layer.active
            layer.last[i] = 0
            layer.counts[i] = 0
        end
        for list in (layer.crossing, layer.spikes, layer.active, layer.recorded_steps, layer.recorded_units)
            empty!(list)
        end
    end
    foreach(e -> fill!(e, 0.0), lane.eligibility)
end

"The reward of an example in a step."
@inline reward_of(r::Run, lane::Lane, step::Int) =
    isempty(r.reward) ? 0.0 : r.reward[min(step, size(r.reward, 1)), lane.example-r.first_example+1]

const SPIKE_STREAM = 1 << 16        # streams: inputs are numbered by population, choices among spikers and noise follow
const NOISE_STREAM = 2 << 16

"One step of one example: arrivals of the last step's spikes, then new states, spikes and traces. Steps count from 1."
function advance!(r::Run, lane::Lane, step::Int)
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
        note_spikes!(r, lane, layer, k, step)
    end
    for m in r.monitors
        step % m.every == 0 && monitor!(r, lane, m, step)
    end
end

@inline function add_row!(target::Ptr{Float64}, row::Ptr{Float64}, n::Int)
    @simd ivdep for k in 1:n
        unsafe_store!(target, unsafe_load(target, k) + unsafe_load(row, k), k)
    end
end

"The arrivals of a channel that act in a step."
@inline arrivals_at(p::Population, layer::Layer, channel::Int, step::Int) =
    pointer(layer.arrivals, ((channel - 1) * layer.slots + step % layer.slots) * p.units + 1)

function deliver!(r::Run, lane::Lane, c::Connection, step::Int)
    p, layer, b = r.net.populations[c.post], lane.layers[c.post], c.blocks
    weights, n = r.weights + 8 * c.first_weight, b.length
    for i in lane.layers[c.pre].spikes
        blocks = b.first_block[i]:b.first_block[i+1]-1
        if c.delay_kind == synaptic_delay
            for k in blocks
                offset, first = Int(b.offset[b.block_group[k]]), b.block_weight[k]
                for l in 1:n
                    target = arrivals_at(p, layer, c.channel, step - 1 + c.delays[first+l])
                    unsafe_store!(target, unsafe_load(target, offset + l) + unsafe_load(weights, first + l), offset + l)
                end
            end
        else
            target = arrivals_at(p, layer, c.channel, step - 1 + c.delays[c.delay_kind == same_delay ? 1 : i])
            if n == 1
                for k in blocks
                    j = b.offset[b.block_group[k]] + 1
                    unsafe_store!(target, unsafe_load(target, j) + unsafe_load(weights, b.block_weight[k] + 1), j)
                end
            else
                for k in blocks
                    add_row!(target + 8 * b.offset[b.block_group[k]], weights + 8 * b.block_weight[k], n)
                end
            end
        end
    end
end

"Each group's spikes times the strength, less a unit's own."
function inhibit!(net::Network, lane::Lane, l::Lateral, step::Int)
    p, layer, spikes = net.populations[l.post], lane.layers[l.post], lane.layers[l.pre].spikes
    target = arrivals_at(p, layer, l.channel, step)
    for i in spikes
        lane.group_count[(i - 1) ÷ l.group + 1] += 1
        lane.group_own[i] += 1
    end
    for i in spikes
        g = (i - 1) ÷ l.group
        lane.group_count[g+1] == 0 && continue
        inhibit_group!(target, pointer(lane.group_own), lane.group_count[g+1], l.strength, g * l.group + 1, (g + 1) * l.group)
        lane.group_count[g+1] = 0
    end
    for i in spikes
        lane.group_own[i] = 0
    end
end

@inline function inhibit_group!(target::Ptr{Float64}, own::Ptr{Float64}, count::Float64, strength::Float64, first::Int, last::Int)
    @simd ivdep for j in first:last
        unsafe_store!(target, unsafe_load(target, j) + strength * (count - unsafe_load(own, j)), j)
    end
end

@inline function clear_slot!(target::Ptr{Float64}, n::Int)
    @simd ivdep for j in 1:n
        unsafe_store!(target, 0.0, j)
    end
end

"New states of a population, and which of its units spike."
function update!(r::Run, lane::Lane, p::Population, layer::Layer, k::Int, step::Int)
    for channel in 1:p.channels
        layer.arrays[p.states+channel] = arrivals_at(p, layer, channel, step)
    end
    p.time && (layer.step_scalars[end] = layer.reset_scalars[end] = step * r.dt)
    p.uniform && draw_uniform!(layer.uniform, r.seed, NOISE_STREAM + k, lane.example, step)
    arrays = pointer(layer.arrays)
    empty!(layer.crossing)
    empty!(layer.spikes)
    GC.@preserve layer begin
        crossings = run_units(p.step, arrays, pointer(layer.step_scalars), 1, p.units)
        for channel in 1:p.channels
            clear_slot!(arrivals_at(p, layer, channel, step), p.units)
        end
        crossings == 0 && return
        for i in 1:p.units
            layer.crossed[i] == 0 && continue
            push!(layer.crossing, i)
            run_units(p.reset, arrays, pointer(layer.reset_scalars), i, i)
        end
    end
    if p.one_spike && length(layer.crossing) > 1
        word = random_words(r.seed, SPIKE_STREAM + k, lane.example, step, 0)[1]
        push!(layer.spikes, layer.crossing[1+floor(Int, unit_interval(word) * length(layer.crossing))])
    else
        append!(layer.spikes, layer.crossing)
    end
end

function draw_uniform!(uniform::Vector{Float64}, seed::Int, stream::Int, example::Int, step::Int)
    for block in 0:(length(uniform)-1)÷4
        words = random_words(seed, stream, example, step, block)
        for w in 1:min(4, length(uniform) - 4 * block)
            uniform[4*block+w] = unit_interval(words[w])
        end
    end
end

"Counts, traces and records of a step's spikes."
function note_spikes!(r::Run, lane::Lane, layer::Layer, k::Int, step::Int)
    decays = r.decays[k]
    for i in layer.spikes
        if layer.last[i] == 0
            push!(layer.active, i)
            for (m, c) in enumerate(r.net.connections)
                c.post == k && plastic(c) || continue
                g = c.blocks.group_of[i]
                g > 0 || continue
                lane.chains[m].next[i] = lane.chains[m].head[g]
                lane.chains[m].head[g] = i
            end
        end
        for (t, trace) in enumerate(r.net.populations[k].traces)
            before = layer.last[i] == 0 ? 0.0 : layer.traces[t][i] * decays[t][step-layer.last[i]+1]
            layer.before[t][i] = before
            layer.traces[t][i] = trace.adds ? before + 1 : 1.0
        end
        layer.last[i] = step
        layer.counts[i] += 1
    end
    if r.recorded[k]
        for i in layer.spikes
            push!(layer.recorded_steps, step - 1)
            push!(layer.recorded_units, i - 1)
        end
    end
end

"The value of a trace of unit i in a step."
@inline trace_value(layer::Layer, decays::Vector{Vector{Float64}}, t::Int, i::Integer, step::Int) =
    layer.last[i] == 0 ? 0.0 : layer.traces[t][i] * decays[t][step-layer.last[i]+1]

function monitor!(r::Run, lane::Lane, m::Monitor, step::Int)
    at = m.first_value + (step ÷ m.every - 1) * length(m.units)
    array = lane.layers[m.population].arrays[m.array]
    for (n, i) in enumerate(m.units)
        r.monitored[at+n, lane.example-r.first_example+1] = unsafe_load(array, i)
    end
end
