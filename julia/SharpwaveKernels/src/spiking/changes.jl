# What the spikes of a step change by a rule: elements are given to the rule's program, and its results are reduced over the batch.

"A thread's room for one connection: what the program of a rule reads and writes, and sums over the batch."
struct Workspace{T}
    columns::Vector{Vector{T}}    # weight, traces of the other side, change
    arrays::Vector{Ptr{T}}
    pre_scalars::Vector{T}
    post_scalars::Vector{T}
    at::Vector{Int32}                   # which unit or entry each element is
    place::Vector{Int}                  # where its weight is among the connection's
    total::Vector{T}                    # by unit or entry: the reduced change, and how many changes went into it
    number::Vector{Int32}
    sums::Vector{T}                     # by unit: the same where no change counts as 0; all 0 between uses
    touched::UnitList
    head::Vector{Int32}                 # by spiking unit: a chain of the examples in which it spikes
    next::UnitList
    lane::UnitList
    times::UnitList                     # how often it spikes there in this step
    spiking::UnitList
    marked::Vector{Bool}
end

function Workspace{T}(net::Network, c::Connection) where {T}
    pre, post = net.populations[c.pre].units, net.populations[c.post].units
    most = max(pre, post, maximum(diff(c.blocks.first_entry)))
    columns = [zeros(T, most) for _ in 1:max(length(c.rule.on_pre.other), length(c.rule.on_post.other))+2]
    Workspace{T}(columns, map(pointer, columns), T.(c.rule.on_pre.scalars), T.(c.rule.on_post.scalars), zeros(Int32, most),
                 zeros(Int, most), zeros(T, most), zeros(Int32, most), zeros(T, post), UnitList(), zeros(Int32, max(pre, post)), UnitList(), UnitList(),
                 UnitList(), UnitList(), zeros(Bool, post))
end

workspace(T, net::Network, c::Connection) = plastic(c) ? Workspace{T}(net, c) : nothing

"Chain the spikes of population k by unit, so that examples come in order; `wanted` says which units."
function chain_spikes!(s::Workspace, lanes, present, k::Int, wanted::F) where {F}
    for list in (s.next, s.lane, s.times, s.spiking)
        empty!(list)
    end
    @inbounds for n in length(present):-1:1
        for i in lanes[present[n]].layers[k].spikes
            wanted(i) || continue
            link = s.head[i]
            if link != 0 && s.lane[link] == present[n]
                s.times.items[link] += 1
                continue
            end
            link == 0 && add!(s.spiking, i)
            add!(s.next, link)
            add!(s.lane, present[n])
            add!(s.times, 1)
            s.head[i] = length(s.next)
        end
    end
end

"Take an element's change into the sum of unit or entry `at`."
@inline function reduce_change!(s::Workspace{T}, at::Integer, change::T, reduction::Reduction) where {T}
    @inbounds begin
        if s.number[at] == 0
            add!(s.touched, at)
            s.total[at] = change
        elseif reduction == max_of
            s.total[at] = max(s.total[at], change)
        elseif reduction == min_of
            s.total[at] = min(s.total[at], change)
        else
            s.total[at] += change
        end
        s.number[at] += 1
    end
end

"The reduced change of `at`; examples without a spike count as changes of 0."
@inline function reduced_change!(s::Workspace, at::Integer, reduction::Reduction, batch::Int)
    @inbounds begin
        change, all_spiked = s.total[at], s.number[at] >= batch
        s.number[at] = 0
    end
    return reduced(change, all_spiked, reduction, batch)
end

"A change that went through the reduction, with the examples that have none."
@inline function reduced(change::T, all_spiked::Bool, reduction::Reduction, batch::Int) where {T}
    reduction == mean_of && return change / T(batch)
    reduction == max_of && return all_spiked ? change : max(change, zero(T))
    reduction == min_of && return all_spiked ? change : min(change, zero(T))
    return change
end

"What the weights of a rule may be."
bounds(T, rule::Rule) = (T(rule.lower), T(rule.upper))

@inline function change_weight!(weight::Ptr{T}, change::T, (lower, upper)::NTuple{2,T}) where {T}
    w = unsafe_load(weight) + change
    unsafe_store!(weight, w < lower ? lower : w > upper ? upper : w)
end

"Put the traces of the unit that spikes, and the reward, where its program reads them."
@inline function set_scalars!(scalars::Vector{T}, side::RuleSide, layer::Layer{T}, decays, i::Integer, step::Int, reward::Float64) where {T}
    first = length(scalars) - length(side.spiking) - 1
    scalars[end] = reward
    for (k, t) in enumerate(side.spiking)
        t == 0 || (scalars[first+k] = t > 0 ? trace_value(layer, decays, t, i, step) : layer.before[-t][i])
    end
end

"Element n: a weight, and the traces of the unit at its other end."
@inline function set_element!(s::Workspace{T}, n::Int, at::Integer, weight::Ptr{T}, weights::Ptr{T}, side::RuleSide,
                              layer::Layer{T}, decays, i::Integer, step::Int) where {T}
    s.at[n] = at
    s.place[n] = (weight - weights) ÷ sizeof(T) + 1
    s.columns[1][n] = unsafe_load(weight)
    for (k, t) in enumerate(side.other)
        s.columns[k+1][n] = trace_value(layer, decays, t, i, step)
    end
end

"Run the program of a side on the first n elements; its results are the last column."
@inline function run_side!(s::Workspace{T}, side::RuleSide, scalars::Vector{T}, n::Int) where {T}
    s.arrays[length(side.other)+2] = pointer(s.columns[end])
    GC.@preserve s scalars run_units(side.loop, pointer(s.arrays), pointer(scalars), 1, n)
end

"Take the changes of n elements into the sums over the batch, or into the example's eligibility traces."
@inline function take_changes!(s::Workspace{T}, eligibility::Vector{T}, n::Int, side::RuleSide, rule::Rule, times::Integer) where {T}
    changes, sign = s.columns[end], T(side.sign)
    for e in 1:n
        if rule.eligibility > 0
            eligibility[s.place[e]] += sign * changes[e] * T(times)
        else
            reduce_change!(s, s.at[e], changes[e] * T(times), rule.reduction)
        end
    end
end

