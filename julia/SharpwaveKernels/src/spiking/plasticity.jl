# What spikes change: weights by the rules of connections, summed over the batch, and thresholds. Every thread does its share of the
# postsynaptic units, in the order of the examples, so that the numbers do not depend on how many threads there are.

"A thread's room for one connection: what the program of a rule reads and writes, and sums over the batch."
struct Workspace
    columns::Vector{Vector{Float64}}    # weight, traces of the other side, change
    arrays::Vector{Ptr{Float64}}
    pre_scalars::Vector{Float64}
    post_scalars::Vector{Float64}
    at::Vector{Int32}                   # which unit or entry each element is
    place::Vector{Int}                  # where its weight is among the connection's
    total::Vector{Float64}              # by unit or entry: the reduced change, and how many changes went into it
    number::Vector{Int32}
    touched::Vector{Int32}
    head::Vector{Int32}                 # by spiking unit: a chain of the examples in which it spikes
    next::Vector{Int32}
    lane::Vector{Int32}
    spiking::Vector{Int32}
    marked::Vector{Bool}
end

function Workspace(net::Network, c::Connection)
    plastic(c) || return nothing
    pre, post = net.populations[c.pre].units, net.populations[c.post].units
    most = max(post, maximum(diff(c.blocks.first_entry)))
    columns = [zeros(most) for _ in 1:max(length(c.rule.on_pre.other), length(c.rule.on_post.other))+2]
    Workspace(columns, map(pointer, columns), copy(c.rule.on_pre.scalars), copy(c.rule.on_post.scalars), zeros(Int32, most), zeros(Int, most),
              zeros(most), zeros(Int32, most), Int32[], zeros(Int32, max(pre, post)), Int32[], Int32[], Int32[], zeros(Bool, post))
end

"A thread's share of 1:n."
share(n::Int, thread::Int, threads::Int) = (n * (thread - 1)) ÷ threads + 1:(n * thread) ÷ threads

# Work is shared by the place of a unit within its group: units that share weights then belong to one thread.
shared_places(c::Connection, net::Network, thread, threads) =
    share(c.blocks.length == 1 ? net.populations[c.post].units : c.blocks.length, thread, threads)
@inline place(b::Blocks, g, j) = b.length == 1 ? Int(j) : j - Int(b.offset[g])

"All that the spikes of a step change, on one thread of several. `present` are the examples of the batch."
function learn!(r::Run, lanes::Vector{Lane}, present::Vector{Int}, spaces, step::Int, thread::Int, threads::Int)
    for (m, c) in enumerate(r.net.connections)
        plastic(c) || continue
        mine = shared_places(c, r.net, thread, threads)
        c.rule.on_pre.loop == C_NULL || learn_on_pre!(r, lanes, present, spaces[m], m, c, step, mine)
        c.rule.on_post.loop == C_NULL || learn_on_post!(r, lanes, present, spaces[m], m, c, step, mine)
        c.rule.eligibility > 0 && follow_reward!(r, lanes, present, m, c, step, mine)
    end
    for (k, p) in enumerate(r.net.populations)
        p.homeostasis.column > 0 && adapt!(r, lanes, present, p, k, share(p.units, thread, threads))
    end
end

function adapt!(r::Run, lanes, present, p::Population, k::Int, mine)
    h = p.homeostasis
    values = r.columns + 8 * (p.first_column + (h.column - 1) * p.units)
    if h.decay != 1
        @simd ivdep for i in mine
            unsafe_store!(values, unsafe_load(values, i) * h.decay, i)
        end
    end
    for b in present, i in lanes[b].layers[k].crossing
        i in mine && unsafe_store!(values, unsafe_load(values, i) + h.increment, i)
    end
end

"Chain the spikes of population k by unit, so that examples come in order; `wanted` says which units."
function chain_spikes!(s::Workspace, lanes, present, k::Int, wanted::F) where {F}
    for list in (s.next, s.lane, s.spiking)
        empty!(list)
    end
    for n in length(present):-1:1
        for i in lanes[present[n]].layers[k].spikes
            wanted(i) || continue
            s.head[i] == 0 && push!(s.spiking, i)
            push!(s.next, s.head[i])
            push!(s.lane, present[n])
            s.head[i] = length(s.next)
        end
    end
end

"Take an element's change into the sum of unit or entry `at`."
@inline function reduce_change!(s::Workspace, at::Integer, change::Float64, reduction::Reduction)
    if s.number[at] == 0
        push!(s.touched, at)
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

"The reduced change of `at`; examples without a spike count as changes of 0."
@inline function reduced_change!(s::Workspace, at::Integer, reduction::Reduction, batch::Int)
    change, all_spiked = s.total[at], s.number[at] >= batch
    s.number[at] = 0
    reduction == mean_of && return change / batch
    reduction == max_of && return all_spiked ? change : max(change, 0.0)
    reduction == min_of && return all_spiked ? change : min(change, 0.0)
    return change
end

@inline function change_weight!(weight::Ptr{Float64}, change::Float64, rule::Rule)
    w = unsafe_load(weight) + change
    unsafe_store!(weight, w < rule.lower ? rule.lower : w > rule.upper ? rule.upper : w)
end

"Put the traces of the unit that spikes, and the reward, where its program reads them."
@inline function set_scalars!(scalars::Vector{Float64}, side::RuleSide, layer::Layer, decays, i::Integer, step::Int, reward::Float64)
    first = length(scalars) - length(side.spiking) - 1
    scalars[end] = reward
    for (k, t) in enumerate(side.spiking)
        scalars[first+k] = t > 0 ? trace_value(layer, decays, t, i, step) : layer.before[-t][i]
    end
end

"Element n: a weight, and the traces of the unit at its other end."
@inline function set_element!(s::Workspace, n::Int, at::Integer, weight::Ptr{Float64}, weights::Ptr{Float64}, side::RuleSide,
                              layer::Layer, decays, i::Integer, step::Int)
    s.at[n] = at
    s.place[n] = (weight - weights) ÷ 8 + 1
    s.columns[1][n] = unsafe_load(weight)
    for (k, t) in enumerate(side.other)
        s.columns[k+1][n] = trace_value(layer, decays, t, i, step)
    end
end

@inline function run_side!(s::Workspace, side::RuleSide, scalars::Vector{Float64}, n::Int)
    s.arrays[length(side.other)+2] = pointer(s.columns[end])
    GC.@preserve s scalars run_units(side.loop, pointer(s.arrays), pointer(scalars), 1, n)
end

"Take the changes of n elements into the sums over the batch, or into the example's eligibility traces."
@inline function take_changes!(s::Workspace, eligibility::Vector{Float64}, n::Int, side::RuleSide, rule::Rule)
    for e in 1:n
        if rule.eligibility > 0
            eligibility[s.place[e]] += side.sign * s.columns[end][e]
        else
            reduce_change!(s, s.at[e], s.columns[end][e], rule.reduction)
        end
    end
end

"Every weight moves by reward times eligibility, reduced over the batch; then eligibility decays."
function follow_reward!(r::Run, lanes, present, m::Int, c::Connection, step::Int, mine)
    b, rule = c.blocks, c.rule
    for g in 1:(b.shared ? 1 : groups(b)), e in entries(b, g), l in 1:b.length
        place(b, g, b.offset[g] + l) in mine || continue
        w = b.entry_weight[e] + l
        total = rule.reduction == max_of ? -Inf : rule.reduction == min_of ? Inf : 0.0
        for n in present
            trace = lanes[n].eligibility[m]
            change = reward_of(r, lanes[n], step) * trace[w]
            trace[w] *= rule.eligibility
            total = rule.reduction == max_of ? max(total, change) : rule.reduction == min_of ? min(total, change) : total + change
        end
        rule.reduction == mean_of && (total /= length(present))
        change_weight!(r.weights + 8 * (c.first_weight + w - 1), total, rule)
    end
end

function learn_on_pre!(r::Run, lanes, present, s::Workspace, m::Int, c::Connection, step::Int, mine)
    b, rule, side = c.blocks, c.rule, c.rule.on_pre
    weights, decays = r.weights + 8 * c.first_weight, r.decays[c.post]
    chain_spikes!(s, lanes, present, c.pre, i -> true)
    for i in s.spiking
        for k in b.first_block[i]:b.first_block[i+1]-1
            g, row = b.block_group[k], weights + 8 * b.block_weight[k]
            offset = Int(b.offset[g])
            link = s.head[i]
            while link != 0
                lane = lanes[s.lane[link]]
                link = s.next[link]
                post = lane.layers[c.post]
                n = 0
                if side.sparse
                    chain = lane.chains[m]
                    j = chain.head[g]
                    while j != 0
                        if place(b, g, j) in mine
                            n += 1
                            set_element!(s, n, j, row + 8 * (j - offset - 1), weights, side, post, decays, j, step)
                        end
                        j = chain.next[j]
                    end
                else
                    for l in 1:b.length
                        j = offset + l
                        place(b, g, j) in mine || continue
                        n += 1
                        set_element!(s, n, j, row + 8 * (l - 1), weights, side, post, decays, j, step)
                    end
                end
                n == 0 && continue
                set_scalars!(s.pre_scalars, side, lane.layers[c.pre], r.decays[c.pre], i, step, reward_of(r, lane, step))
                run_side!(s, side, s.pre_scalars, n)
                take_changes!(s, lane.eligibility[m], n, side, rule)
            end
            for j in s.touched
                change_weight!(row + 8 * (j - offset - 1), side.sign * reduced_change!(s, j, rule.reduction, length(present)), rule)
            end
            empty!(s.touched)
        end
    end
    for i in s.spiking
        s.head[i] = 0
    end
end

function learn_on_post!(r::Run, lanes, present, s::Workspace, m::Int, c::Connection, step::Int, mine)
    b, rule, side = c.blocks, c.rule, c.rule.on_post
    weights, decays = r.weights + 8 * c.first_weight, r.decays[c.pre]
    chain_spikes!(s, lanes, present, c.post, j -> b.group_of[j] > 0 && place(b, b.group_of[j], j) in mine)
    for j in s.spiking
        g = b.group_of[j]
        first = b.first_entry[g]
        column = weights + 8 * (j - Int(b.offset[g]) - 1)
        link = s.head[j]
        while link != 0
            lane = lanes[s.lane[link]]
            link = s.next[link]
            pre = lane.layers[c.pre]
            n = 0
            if side.sparse && b.aligned
                for i in pre.active
                    n += 1
                    set_element!(s, n, i, column + 8 * b.entry_weight[first+i-1], weights, side, pre, decays, i, step)
                end
            else
                for e in entries(b, g)
                    i = b.entry_pre[e]
                    side.sparse && pre.last[i] == 0 && continue
                    n += 1
                    set_element!(s, n, e - first + 1, column + 8 * b.entry_weight[e], weights, side, pre, decays, i, step)
                end
            end
            n == 0 && continue
            set_scalars!(s.post_scalars, side, lane.layers[c.post], r.decays[c.post], j, step, reward_of(r, lane, step))
            run_side!(s, side, s.post_scalars, n)
            take_changes!(s, lane.eligibility[m], n, side, rule)
        end
        for e in s.touched
            change_weight!(column + 8 * b.entry_weight[first+e-1], side.sign * reduced_change!(s, e, rule.reduction, length(present)),
                           rule)
        end
        empty!(s.touched)
        s.head[j] = 0
    end
end

"After a batch: what a connection asks for, on a thread's share of units: weights scaled to their sum, winners copied."
function settle!(r::Run, lanes, present, spaces, thread::Int, threads::Int)
    for (m, c) in enumerate(r.net.connections)
        plastic(c) || continue
        mine = shared_places(c, r.net, thread, threads)
        c.norm > 0 && normalise!(r, lanes, present, spaces[m], c, mine)
        c.copies_winner && copy_winners!(r, lanes, present, c, mine)
    end
end

"Scale the weights of the units that the batch may have changed; weights that groups share are scaled once."
function normalise!(r::Run, lanes, present, s::Workspace, c::Connection, mine)
    b, side = c.blocks, c.rule.on_pre
    only_active = side.loop == C_NULL || side.sparse
    for n in present
        for j in (only_active ? lanes[n].layers[c.post].active : eachindex(b.group_of))
            g = b.group_of[j]
            g > 0 && place(b, g, j) in mine || continue
            s.marked[b.shared ? place(b, g, j) + b.offset[1] : j] = true
        end
    end
    for g in 1:(b.shared ? 1 : groups(b))
        empty!(s.touched)
        for l in 1:b.length
            j = b.offset[g] + l
            s.marked[j] || continue
            s.marked[j] = false
            push!(s.touched, l)
        end
        isempty(s.touched) || scale_columns!(r.weights + 8 * c.first_weight, b, g, s.touched, s.total, c.norm)
    end
    empty!(s.touched)
end

"Row by row, for the weights of a row are neighbours."
function scale_columns!(weights::Ptr{Float64}, b::Blocks, g::Int, places::Vector{Int32}, sums::Vector{Float64}, norm::Float64)
    @inbounds begin
        for k in eachindex(places)
            sums[k] = 0.0
        end
        for e in entries(b, g)
            row = weights + 8 * b.entry_weight[e]
            for k in eachindex(places)
                sums[k] += abs(unsafe_load(row, places[k]))
            end
        end
        for k in eachindex(places)
            sums[k] = sums[k] > 0 ? norm / sums[k] : 1.0
        end
        for e in entries(b, g)
            row = weights + 8 * b.entry_weight[e]
            for k in eachindex(places)
                unsafe_store!(row, unsafe_load(row, places[k]) * sums[k], places[k])
            end
        end
    end
end

"Give the units at one place of all groups the weights of the one that spiked most."
function copy_winners!(r::Run, lanes, present, c::Connection, mine)
    b = c.blocks
    weights = r.weights + 8 * c.first_weight
    for l in mine
        winner, most = 0, 0
        for g in 1:groups(b)
            count = 0
            for n in present
                count += lanes[n].layers[c.post].counts[b.offset[g]+l]
            end
            count > most && ((winner, most) = (g, count))
        end
        winner == 0 && continue
        for g in 1:groups(b)
            g == winner && continue
            for k in 0:length(entries(b, g))-1
                from = weights + 8 * (b.entry_weight[b.first_entry[winner]+k] + l - 1)
                unsafe_store!(weights + 8 * (b.entry_weight[b.first_entry[g]+k] + l - 1), unsafe_load(from))
            end
        end
    end
end
