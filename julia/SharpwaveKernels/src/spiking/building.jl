# Kernels that build a network part by part. A caller keeps its handle, and releases it.

const NETWORKS = Dict{Int,Network}()
const NETWORKS_LOCK = ReentrantLock()
const NEXT_NETWORK = Ref(1)

network(handle) = lock(NETWORKS_LOCK) do
    get(() -> throw(BadArgument("network", "there is no network $handle")), NETWORKS, handle)
end

"A new network, whose weights and states have so many bits."
function spiking_network(::Control, bits, handle)
    T = float_of(bits)
    lock(NETWORKS_LOCK) do
        handle[1] = NEXT_NETWORK[]
        NEXT_NETWORK[] += 1
        NETWORKS[handle[1]] = Network(T, Population[], Connection[], Lateral[], 0, 0, 0, 0)
    end
end
@kernel spiking_network """
    bits in i64
    handle out i64[1]
"""

spiking_release(::Control, network) = lock(() -> (delete!(NETWORKS, network); nothing), NETWORKS_LOCK)
@kernel spiking_release """
    network in i64
"""

function numbered(T, name, value)
    value in Int.(instances(T)) || throw(BadArgument(name, "expected one of $(Int.(instances(T))), got $value"))
    return T(value)
end

function one_of(name, value, count)
    1 <= value <= count || throw(BadArgument(name, "expected a number from 1 to $count, got $value"))
    return Int(value)
end

"""
Add a population. `numbers`: units, source (0 neurons, 1 events, 2 Poisson, 3 Bernoulli), states, kinds of arrivals, columns,
whether its program reads random numbers, whether the time, whether one spikes at a time, the column of homeostasis or 0.
The arrays of its programs are states, arrivals, columns, random numbers if read, and last what has crossed. `homeostasis` is
increment and decay a step; `traces` has decay a step, and 1 where a trace adds.
"""
function spiking_population(::Control, handle, numbers, programs, step_scalars, reset_scalars, homeostasis, traces)
    net = network(handle)
    units, source, states, channels, columns, uniform, time, one_spike, column = numbers
    kind = numbered(Source, "numbers", source)
    units > 0 && all(>=(0), numbers) && column <= columns || throw(BadArgument("numbers", "a size out of range: $numbers"))
    all(d -> 0 <= d <= 1, traces[1, :]) && 0 <= homeostasis[2] <= 1 ||
        throw(BadArgument("traces", "expected decays from 0 to 1"))
    arrays = states + channels + columns + uniform + 1
    loop(k, scalars) = kind == neurons ? compiled_loop("programs", programs[k], net.number, arrays, length(scalars)) : C_NULL
    push!(net.populations,
          Population(units, kind, kind == neurons ? 0 : net.inputs, states, channels, columns, net.states, net.columns, uniform != 0,
                     time != 0, one_spike != 0, loop(1, step_scalars), loop(2, reset_scalars), copy(step_scalars),
                     copy(reset_scalars), Homeostasis(column, homeostasis...),
                     [Trace(traces[1, k], traces[2, k] != 0) for k in axes(traces, 2)], falses(size(traces, 2))))
    net.states += units * states
    net.columns += units * columns
    net.inputs += kind == neurons ? 0 : units
end
@kernel spiking_population """
    network in i64
    numbers in i64[9]
    programs in i64[2]
    step_scalars in f64[step_scalars]
    reset_scalars in f64[reset_scalars]
    homeostasis in f64[2]
    traces in f64[traces, 2]
"""

"""
Add a connection of `weights` weights; see `Blocks`. `numbers`: presynaptic and postsynaptic population and kind of arrival (from
1), weights, kind of delay (0 one for all, 1 by presynaptic unit, 2 by weight), length of a block, whether the groups copy
the winner.
"""
function spiking_connection(::Control, handle, numbers, offset, first_entry, entry_pre, entry_weight, delays, norm)
    net = network(handle)
    pre, post, channel, weights, kind, block_length, copies = numbers
    count = length(net.populations)
    a, b = net.populations[one_of("numbers", pre, count)], net.populations[one_of("numbers", post, count)]
    one_of("numbers", channel, b.channels)
    blocks = Blocks(Int(block_length), Int32.(offset), Int.(first_entry), Int32.(entry_pre), Int.(entry_weight), a.units, b.units,
                    Int(weights))
    delay_kind = numbered(DelayKind, "numbers", kind)
    wanted = delay_kind == same_delay ? 1 : delay_kind == axonal_delay ? a.units : weights
    length(delays) == wanted || throw(BadArgument("delays", "expected $wanted delays, got $(length(delays))"))
    all(d -> 1 <= d <= 10^6, delays) || throw(BadArgument("delays", "expected from 1 to a million steps"))
    0 <= norm < Inf || throw(BadArgument("norm", "expected a sum, or 0 for none, got $norm"))
    copies == 0 || all(==(blocks.first_entry[2] - 1), diff(blocks.first_entry)) ||
        throw(BadArgument("numbers", "groups that copy each other must have equally many entries"))
    push!(net.connections, Connection(pre, post, channel, blocks, net.weights, delay_kind, Int32.(delays), norm, copies != 0, nothing))
    net.weights += weights
end
@kernel spiking_connection """
    network in i64
    numbers in i64[7]
    offset in i64[groups]
    first_entry in i64[groups_and_one]
    entry_pre in i64[entries]
    entry_weight in i64[entries]
    delays in i64[delays]
    norm in f64
"""

"""
Make the last connection plastic. `numbers`: reduction (0 sum, 1 mean, 2 max, 3 min), program on presynaptic spikes or 0, whether its
change is 0 where the other side's traces are, whether it depends on these traces alone, then the same three of the program
on postsynaptic spikes. Traces are those of the populations,
from 1; `pre_spiking` and `post_spiking` may be negative: the value before the spike,
or 0: not read. A program's arrays are weight, traces of the other
side, change; its last scalars the traces of the unit that spikes, and the reward. `signs` are 1 or -1: what the reduced change is
multiplied by. Bounds: lower and upper. `eligibility`: see `Rule`.
"""
function spiking_rule(::Control, handle, numbers, pre_spiking, pre_other, post_spiking, post_other, pre_scalars, post_scalars,
                      signs, bounds, eligibility)
    net = network(handle)
    isempty(net.connections) && throw(BadArgument("network", "it has no connection yet"))
    c = net.connections[end]
    counts = length(net.populations[c.pre].traces), length(net.populations[c.post].traces)
    function side(name, ends, program, sparse, simple, spiking, other, scalars, sign, own_count, other_count)
        all(k -> abs(k) <= own_count, spiking) && all(k -> 1 <= k <= other_count, other) ||
            throw(BadArgument(name, "a trace that its population does not have"))
        for k in spiking
            k < 0 && (ends.keeps_before[-k] = true)
        end
        loop = program == 0 ? C_NULL : compiled_loop(name, program, net.number, length(other) + 2, length(scalars) + length(spiking) + 1)
        RuleSide(loop, [scalars; zeros(length(spiking) + 1)], Int.(spiking), Int.(other), sign, sparse != 0, simple != 0 && sparse != 0 && eligibility == 0)
    end
    bounds[1] <= bounds[2] || throw(BadArgument("bounds", "expected lower and upper, got $bounds"))
    0 <= eligibility < 1 || throw(BadArgument("eligibility", "expected a decay from 0 to 1, got $eligibility"))
    rule = Rule(side("pre_other", net.populations[c.pre], numbers[2:4]..., pre_spiking, pre_other, pre_scalars, signs[1], counts...),
                side("post_other", net.populations[c.post], numbers[5:7]..., post_spiking, post_other, post_scalars, signs[2], reverse(counts)...),
                numbered(Reduction, "numbers", numbers[1]), bounds[1], bounds[2], eligibility)
    net.connections[end] = Connection(c.pre, c.post, c.channel, c.blocks, c.first_weight, c.delay_kind, c.delays, c.norm, c.copies_winner,
                                      rule)
end
@kernel spiking_rule """
    network in i64
    numbers in i64[7]
    pre_spiking in i64[pre_spiking]
    pre_other in i64[pre_other]
    post_spiking in i64[post_spiking]
    post_other in i64[post_other]
    pre_scalars in f64[pre_scalars]
    post_scalars in f64[post_scalars]
    signs in f64[2]
    bounds in f64[2]
    eligibility in f64
"""

"Add inhibition within groups; see `Lateral`. `numbers`: presynaptic and postsynaptic population, kind of arrival, units in a group."
function spiking_lateral(::Control, handle, numbers, strength)
    net = network(handle)
    pre, post, channel, group = numbers
    count = length(net.populations)
    a, b = net.populations[one_of("numbers", pre, count)], net.populations[one_of("numbers", post, count)]
    one_of("numbers", channel, b.channels)
    a.units == b.units && group > 0 && a.units % group == 0 ||
        throw(BadArgument("numbers", "expected populations of one size that is a multiple of the group's, got $(a.units), $(b.units), $group"))
    isfinite(strength) || throw(BadArgument("strength", "expected a number, got $strength"))
    push!(net.laterals, Lateral(pre, post, channel, strength, group))
end
@kernel spiking_lateral """
    network in i64
    numbers in i64[4]
    strength in f64
"""
