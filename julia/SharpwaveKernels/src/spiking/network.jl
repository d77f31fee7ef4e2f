# The description of a spiking network. It does not change while a network runs; weights, columns and states come with each run.

"How a trace of a population's spikes goes on: it falls by `decay` a step, and at a spike is set to 1 or rises by 1."
struct Trace
    decay::Float64
    adds::Bool
end

"Which per-unit column rises with every spike of the unit, in all examples alike, and falls between."
struct Homeostasis
    column::Int                     # 0: none
    increment::Float64
    decay::Float64
end

"What spikes the units of an input population: nothing but the caller's events, a Poisson process, a coin a step."
@enum Source neurons=0 events=1 poisson=2 bernoulli=3

struct Population
    units::Int
    source::Source
    first_input::Int                # of an input population: its first unit among all inputs, from 0
    states::Int
    channels::Int                   # kinds of arrivals
    columns::Int                    # per-unit numbers that all examples share
    first_state::Int                # where its initial states lie in the caller's array, and its columns
    first_column::Int
    uniform::Bool                   # whether its program reads a random number for each unit and step
    time::Bool                      # whether the last scalar of its programs is the time
    one_spike::Bool                 # whether of the units that cross in a step only one, drawn at random, spikes
    step::Ptr{Cvoid}
    reset::Ptr{Cvoid}
    step_scalars::Vector{Float64}
    reset_scalars::Vector{Float64}
    homeostasis::Homeostasis
    traces::Vector{Trace}
    keeps_before::Vector{Bool}      # by trace: whether a rule reads its value before a spike
end

"""
Synapses as blocks. The postsynaptic units of a group are `length` neighbours from `offset[g]` on, and have the same presynaptic
units: entry e of the group is unit `entry_pre[e]`, whose weights to the group's units lie from `entry_weight[e]` on. Dense
layers are one group, locally connected ones a group for each window, sparse ones a group for each unit.
"""
struct Blocks
    length::Int
    offset::Vector{Int32}           # by group, from 0
    first_entry::Vector{Int}        # by group and one more
    entry_pre::Vector{Int32}
    entry_weight::Vector{Int}       # from 0
    first_block::Vector{Int}        # by presynaptic unit and one more: the same entries sorted by that unit
    block_group::Vector{Int32}
    block_target::Vector{Int32}     # the group's offset
    block_weight::Vector{Int}
    group_of::Vector{Int32}         # by postsynaptic unit, 0 for those without synapses
    aligned::Bool                   # whether entry e of every group is presynaptic unit e
    shared::Bool                    # whether all groups have the same weights, as in a convolution
end

groups(b::Blocks) = length(b.offset)
entries(b::Blocks, g) = b.first_entry[g]:b.first_entry[g+1]-1

function Blocks(block_length::Int, offset, first_entry, entry_pre, entry_weight, pre_units::Int, post_units::Int, weights::Int)
    bad(name, message) = throw(BadArgument(name, message))
    block_length > 0 || bad("block_length", "expected a positive number, got $block_length")
    all(o -> 0 <= o <= post_units - block_length, offset) || bad("offset", "a group outside the postsynaptic units")
    length(first_entry) == length(offset) + 1 && issorted(first_entry) && first_entry[1] == 0 &&
        first_entry[end] == length(entry_pre) || bad("first_entry", "expected rising positions from 0 to the number of entries")
    all(i -> 0 <= i < pre_units, entry_pre) || bad("entry_pre", "a unit outside 0:$(pre_units - 1)")
    all(w -> 0 <= w <= weights - block_length, entry_weight) || bad("entry_weight", "a weight outside 0:$(weights - 1)")
    group_of = zeros(Int32, post_units)
    for g in eachindex(offset), j in offset[g]+1:offset[g]+block_length
        group_of[j] == 0 || bad("offset", "two groups share a unit")
        group_of[j] = g
    end
    first_block = zeros(Int, pre_units + 1)
    for i in entry_pre
        first_block[i+2] += 1
    end
    cumsum!(first_block, first_block)
    first_block .+= 1
    next = copy(first_block)
    block_group, block_weight = zeros(Int32, length(entry_pre)), zeros(Int, length(entry_pre))
    for g in eachindex(offset), e in first_entry[g]+1:first_entry[g+1]
        k = next[entry_pre[e]+1]
        block_group[k], block_weight[k] = g, entry_weight[e]
        next[entry_pre[e]+1] += 1
    end
    aligned = all(g -> entry_pre[first_entry[g]+1:first_entry[g+1]] == 0:pre_units-1, eachindex(offset))
    shared = length(offset) > 1 && all(g -> first_entry[g+1] > first_entry[g] && entry_weight[first_entry[g]+1] == entry_weight[1],
                                       eachindex(offset))
    return Blocks(block_length, offset, first_entry .+ 1, entry_pre .+ Int32(1), entry_weight, first_block, block_group, offset[block_group], block_weight,
                  group_of, aligned, shared)
end

"One side of a plasticity rule: what the spikes of that side change. A program gives the change of a weight."
struct RuleSide
    loop::Ptr{Cvoid}                # null: nothing
    scalars::Vector{Float64}        # the program's, then room for the traces of the unit that spikes, then for the reward
    spiking::Vector{Int}            # traces of the side that spikes: 1-based, negative for the value before the spike, 0 if not read
    other::Vector{Int}              # traces of the other side
    sign::Float64
    sparse::Bool                    # whether the change is 0 where all traces of the other side are 0
    simple::Bool                    # whether it is that, depends on nothing but these traces and the reward, and acts at once
end

@enum Reduction sum_of=0 mean_of=1 max_of=2 min_of=3

struct Rule
    on_pre::RuleSide
    on_post::RuleSide
    reduction::Reduction
    lower::Float64
    upper::Float64
    eligibility::Float64            # decay a step of a trace of each synapse and example that takes the changes; 0: none
end

const NO_SIDE = RuleSide(C_NULL, Float64[], Int[], Int[], 1.0, true, false)
const NO_RULE = Rule(NO_SIDE, NO_SIDE, sum_of, -Inf, Inf, 0.0)

@enum DelayKind same_delay=0 axonal_delay=1 synaptic_delay=2

struct Connection
    pre::Int
    post::Int
    channel::Int
    blocks::Blocks
    first_weight::Int               # where its weights begin among all weights, from 0
    delay_kind::DelayKind
    delays::Vector{Int32}           # in steps, at least 1
    norm::Float64                   # what the weights of a unit are scaled to after each batch; 0: nothing
    copies_winner::Bool             # whether all groups take the weights of the one whose unit spiked most, unit by unit
    rule::Union{Nothing,Rule}
end

"Inhibition within groups of neighbours: a spike adds `strength` to all members of its group but its own unit."
struct Lateral
    pre::Int
    post::Int
    channel::Int
    strength::Float64
    group::Int                      # units in a group
end

mutable struct Network
    number::DataType                # of weights and states: Float64 or Float32
    populations::Vector{Population}
    connections::Vector{Connection}
    laterals::Vector{Lateral}
    weights::Int                    # numbers that a run must bring
    states::Int
    columns::Int
    inputs::Int
end

changes(side::RuleSide) = side.loop != C_NULL
is_input(p::Population) = p.source != neurons
plastic(c::Connection) = c.rule !== nothing

"The largest delay of what arrives at each population, in steps."
function arrival_slots(net::Network)
    slots = ones(Int, length(net.populations))
    for c in net.connections
        slots[c.post] = maximum([slots[c.post]; c.delays])
    end
    return slots
end
