# What one example needs while it runs: the states of all populations, arrivals under way, traces. A batch is some of these.

"A population within one example. A unit is active from its first spike in the example on."
mutable struct Layer{T}
    values::Vector{T}         # unit by unit, state after state
    arrivals::Vector{T}       # unit by unit, slot after slot, channel after channel: slot t mod slots acts in step t
    uniform::Vector{T}
    crossed::Vector{T}
    arrays::Vector{Ptr{T}}    # of its programs
    step_scalars::Vector{T}
    reset_scalars::Vector{T}
    slots::Int
    crossing::UnitList              # units that crossed in this step, and those of them that spike
    spikes::UnitList
    active::UnitList
    last::Vector{Int32}             # step of a unit's last spike, 0 if there is none
    counts::Vector{Int32}           # spikes of a unit
    traces::Vector{Vector{T}}       # by trace: values at the last spike, after and before it
    before::Vector{Vector{T}}
    recorded_steps::UnitList
    recorded_units::UnitList
end

function Layer(p::Population, slots::Int, columns::Ptr{T}) where {T}
    n = p.units
    layer = Layer{T}(zeros(T, n * p.states), zeros(T, n * slots * p.channels), zeros(T, p.uniform ? n : 0), zeros(T, n), Ptr{T}[],
                     T.(p.step_scalars), T.(p.reset_scalars), slots, UnitList(), UnitList(), UnitList(), zeros(Int32, n),
                     zeros(Int32, n), [ones(T, n) for _ in p.traces], [zeros(T, n) for _ in p.traces], UnitList(), UnitList())
    for k in 0:p.states-1
        push!(layer.arrays, pointer(layer.values, k * n + 1))
    end
    for k in 0:p.channels-1
        push!(layer.arrays, pointer(layer.arrivals, k * slots * n + 1))
    end
    for k in 0:p.columns-1
        push!(layer.arrays, columns + sizeof(T) * (p.first_column + k * n))
    end
    p.uniform && push!(layer.arrays, pointer(layer.uniform))
    push!(layer.arrays, pointer(layer.crossed))
    return layer
end

"""
What the spikes of one side change where that depends on the other side alone: by unit of the other side, worked out once a step.
Below, room for the program: weight (not read), traces and change of each active unit.
"""
struct Expected{T}
    change::Vector{T}
    columns::Vector{Vector{T}}
    arrays::Vector{Ptr{T}}
    scalars::Vector{T}
end

function Expected{T}(side::RuleSide, units::Int) where {T}
    n = side.simple && changes(side) ? units : 0
    columns = [zeros(T, n) for _ in 1:length(side.other)+2]
    Expected{T}(zeros(T, n), columns, map(pointer, columns), T.(side.scalars))
end

"""
What a plastic connection needs of one example: active postsynaptic units, those of group g the first `count[g]` of its places among
`active`; changes by spikes of either side; eligibility by weight.
"""
struct Learning{T}
    count::Vector{Int32}
    active::Vector{Int32}
    on_pre::Expected{T}
    on_post::Expected{T}
    eligibility::Vector{T}
end

function Learning{T}(net::Network, m::Int) where {T}
    c = net.connections[m]
    rule = c.rule === nothing ? NO_RULE : c.rule
    pre, post = net.populations[c.pre].units, net.populations[c.post].units
    places = plastic(c) ? groups(c.blocks) : 0
    Learning{T}(zeros(Int32, places), zeros(Int32, places * c.blocks.length), Expected{T}(rule.on_pre, post),
                Expected{T}(rule.on_post, pre), zeros(T, rule.eligibility > 0 ? weights_of(net, m) : 0))
end

"Places of the active units of a group."
@inline active_places(l::Learning, b::Blocks, g::Integer) = (g - 1) * b.length .+ (1:Int(@inbounds l.count[g]))

mutable struct Lane{T}
    example::Int                    # its number among all examples, from 0
    layers::Vector{Layer{T}}
    learning::Vector{Learning{T}}      # by connection
    inputs::InputSpikes
    rows::RowLists{T}               # room for delivery
    group_count::Vector{T}          # room for inhibition
    group_own::Vector{T}
end

function Lane(net::Network, steps::Int, columns::Ptr{T}) where {T}
    slots = arrival_slots(net)
    layers = [Layer(p, slots[k], columns) for (k, p) in enumerate(net.populations)]
    most = maximum([0; [net.populations[l.pre].units for l in net.laterals]])
    Lane{T}(0, layers, [Learning{T}(net, m) for m in eachindex(net.connections)], InputSpikes(net, steps),
            RowLists{T}(), zeros(T, most), zeros(T, most))
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
struct Run{T}
    net::Network
    control::Control
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
    monitors::Vector{Monitor}
    monitored::Matrix{Float64}      # (value, example)
    decays::Vector{Vector{Vector{T}}}   # by population and trace: decay^0, decay^1, ...
    weights::Ptr{T}
    columns::Ptr{T}
    precise::Vector{Float64}        # the columns again, where a slow decay does not round away
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
            count, change = lane.learning[m].count, lane.learning[m].on_pre.change
            for j in layer.active
                g = c.blocks.group_of[j]
                g > 0 && (count[g] = 0)
                isempty(change) || (change[j] = 0)
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
    foreach(l -> fill!(l.eligibility, 0.0), lane.learning)
end

"The reward of an example in a step."
@inline reward_of(r::Run, lane::Lane, step::Int) =
    isempty(r.reward) ? 0.0 : r.reward[min(step, size(r.reward, 1)), lane.example-r.first_example+1]
