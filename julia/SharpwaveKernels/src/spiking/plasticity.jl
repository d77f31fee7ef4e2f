# What spikes change: weights by the rules of connections, reduced over the batch, and thresholds. Weights are shared out among the
# threads by unit, and examples are taken in order, so that the numbers do not depend on how many threads there are.

"""
Where the change depends on the other side alone: work it out once for each active unit of that side. Whichever unit spikes, its
weights change by that. Every example does so for itself, before the batch learns.
"""
function expect_changes!(r::Run{T}, lane::Lane{T}, step::Int) where {T}
    for (m, c) in enumerate(r.net.connections)
        plastic(c) || continue
        pre, post, l = lane.layers[c.pre], lane.layers[c.post], lane.learning[m]
        isempty(pre.spikes) || expect_changes!(l.on_pre, c.rule.on_pre, post, r.decays[c.post], step, reward_of(r, lane, step))
        isempty(post.spikes) || expect_changes!(l.on_post, c.rule.on_post, pre, r.decays[c.pre], step, reward_of(r, lane, step))
    end
end

function expect_changes!(x::Expected{T}, side::RuleSide, other::Layer{T}, decays, step::Int, reward::Float64) where {T}
    (changes(side) && side.simple && !isempty(other.active)) || return
    @inbounds begin
        for (k, t) in enumerate(side.other)
            column, at_spike, decay = x.columns[k+1], other.traces[t], decays[t]
            for (n, i) in enumerate(other.active)
                column[n] = at_spike[i] * decay[step-other.last[i]+1]
            end
        end
        x.scalars[end] = reward
        GC.@preserve x run_units(side.loop, pointer(x.arrays), pointer(x.scalars), 1, length(other.active))
        result = x.columns[end]
        for (n, i) in enumerate(other.active)
            x.change[i] = result[n]
        end
    end
    return
end

"A thread's share of 1:n."
share(n::Int, thread::Int, threads::Int) = (n * (thread - 1)) ÷ threads + 1:(n * thread) ÷ threads

# On postsynaptic spikes weights are shared out by the place of the postsynaptic unit within its group: units that share weights then
# belong to one thread. On presynaptic spikes by presynaptic unit, or, where weights are shared, by place.
shared_places(c::Connection, net::Network, thread, threads) =
    share(c.blocks.length == 1 ? net.populations[c.post].units : c.blocks.length, thread, threads)
@inline place(b::Blocks, g, j) = b.length == 1 ? Int(j) : j - Int(b.offset[g])

"All that the spikes of a step change, on one thread of several. `present` are the examples of the batch."
function learn!(r::Run{T}, lanes::Vector{Lane{T}}, present::Vector{Int}, spaces, step::Int, thread::Int, barrier) where {T}
    threads = barrier.threads
    for (m, c) in enumerate(r.net.connections)
        plastic(c) && changes(c.rule.on_pre) || continue
        units = c.blocks.shared ? (1:r.net.populations[c.pre].units) : share(r.net.populations[c.pre].units, thread, threads)
        places = c.blocks.shared ? shared_places(c, r.net, thread, threads) : (1:typemax(Int))
        if by_rows(lanes, present, c)
            learn_rows!(r, lanes, present, spaces[m], m, c, units)
        elseif c.rule.on_pre.simple && length(present) == 1 && !c.blocks.shared
            change_on_pre!(r, lanes[present[1]], m, c, units)
        else
            learn_on_pre!(r, lanes, present, spaces[m], m, c, step, units, places)
        end
    end
    any(c -> plastic(c) && changes(c.rule.on_pre), r.net.connections) && meet!(barrier)
    for (m, c) in enumerate(r.net.connections)
        plastic(c) || continue
        mine = shared_places(c, r.net, thread, threads)
        changes(c.rule.on_post) && learn_on_post!(r, lanes, present, spaces[m], m, c, step, mine)
        c.rule.eligibility > 0 && follow_reward!(r, lanes, present, m, c, step, mine)
    end
    for (k, p) in enumerate(r.net.populations)
        p.homeostasis.column > 0 && adapt!(r, lanes, present, p, k, share(p.units, thread, threads))
    end
end

function adapt!(r::Run{T}, lanes, present, p::Population, k::Int, mine) where {T}
    h = p.homeostasis
    first = p.first_column + (h.column - 1) * p.units
    values, precise = r.columns + sizeof(T) * first, pointer(r.precise, first + 1)
    GC.@preserve r begin
        if h.decay != 1
            @simd ivdep for i in mine
                now = unsafe_load(precise, i) * h.decay
                unsafe_store!(precise, now, i)
                unsafe_store!(values, T(now), i)
            end
        end
        for b in present, i in lanes[b].layers[k].crossing
            i in mine || continue
            now = unsafe_load(precise, i) + h.increment
            unsafe_store!(precise, now, i)
            unsafe_store!(values, T(now), i)
        end
    end
end

"The weights of one example's presynaptic spikes move by what was worked out for each active postsynaptic unit."
function change_on_pre!(r::Run{T}, lane::Lane{T}, m::Int, c::Connection, units) where {T}
    b, l, spikes, limits = c.blocks, lane.learning[m], lane.layers[c.pre].spikes, bounds(T, c.rule)
    weights, change, sign, n = r.weights + sizeof(T) * c.first_weight, l.on_pre.change, T(c.rule.on_pre.sign), 0
    active = l.active
    @inbounds while n < length(spikes)
        n += 1
        i, times = spikes[n], 1
        while n < length(spikes) && spikes[n+1] == i        # a unit that spikes more than once: spikes of a step are sorted
            n, times = n + 1, times + 1
        end
        i in units || continue
        factor = sign * T(times)
        for k in b.first_block[i]:b.first_block[i+1]-1
            row = weights + sizeof(T) * (b.block_weight[k] - b.offset[b.block_group[k]] - 1)
            for a in active_places(l, b, b.block_group[k])
                j = active[a]
                change_weight!(row + sizeof(T) * j, factor * change[j], limits)
            end
        end
    end
end

function learn_on_pre!(r::Run{T}, lanes, present, s::Workspace, m::Int, c::Connection, step::Int, units, places) where {T}
    b, rule, side = c.blocks, c.rule, c.rule.on_pre
    weights = r.weights + sizeof(T) * c.first_weight
    factor, limits = scale(T, side, rule, length(present)), bounds(T, rule)
    chain_spikes!(s, lanes, present, c.pre, i -> i in units)
    @inbounds for i in s.spiking
        first = s.head[i]
        s.head[i] = 0
        for k in b.first_block[i]:b.first_block[i+1]-1
            g, row = b.block_group[k], weights + sizeof(T) * (b.block_weight[k] - b.offset[b.block_group[k]] - 1)
            if side.simple && s.next[first] == 0 && linear(rule, length(present))
                change_by_one!(row, lanes[s.lane[first]].learning[m], b, g, factor * T(s.times[first]), limits, places)
                continue
            end
            if side.simple && (linear(rule, length(present)) || examples_from(s, first) < length(present))
                change_by_some!(row, s, lanes, m, b, g, first, factor, rule.reduction, limits, places)
                continue
            end
            link = first
            while link != 0
                lane, times = lanes[s.lane[link]], s.times[link]
                link = s.next[link]
                if side.simple
                    take_expected!(s, lane.learning[m], b, g, times, rule, places)
                else
                    n = post_elements!(s, lane, r, m, c, row, g, step, places)
                    n == 0 && continue
                    set_scalars!(s.pre_scalars, side, lane.layers[c.pre], r.decays[c.pre], i, step, reward_of(r, lane, step))
                    run_side!(s, side, s.pre_scalars, n)
                    take_changes!(s, lane.learning[m].eligibility, n, side, rule, times)
                end
            end
            for j in s.touched
                change_weight!(row + sizeof(T) * j, T(side.sign) * reduced_change!(s, j, rule.reduction, length(present)), limits)
            end
            empty!(s.touched)
        end
    end
end

"Whether a change that one example alone brings goes into the weight times a number."
linear(rule::Rule, batch::Int) = batch == 1 || rule.reduction in (sum_of, mean_of)

"That number."
scale(T, side::RuleSide, rule::Rule, batch::Int) = T(side.sign / (rule.reduction == mean_of ? batch : 1))

"Where a unit spikes in one example only, what was worked out for the active units of a group needs no sums."
@inline function change_by_one!(row::Ptr{T}, l::Learning{T}, b::Blocks, g::Integer, factor::T, limits, places) where {T}
    change, active = l.on_pre.change, l.active
    @inbounds for a in active_places(l, b, g)
        j = active[a]
        place(b, g, j) in places && change_weight!(row + sizeof(T) * j, factor * change[j], limits)
    end
end

"Examples of a chain."
function examples_from(s::Workspace, link::Integer)
    n = 0
    while link != 0
        n, link = n + 1, s.next[link]
    end
    return n
end

"Where a unit spikes in several examples, but some have no spike of it, or that does not matter: then a change of 0 is none."
function change_by_some!(row::Ptr{T}, s::Workspace{T}, lanes, m::Int, b::Blocks, g::Integer, first::Integer, factor::T,
                         reduction::Reduction, limits, places) where {T}
    sums, link = s.sums, first
    @inbounds while link != 0
        l, times = lanes[s.lane[link]].learning[m], T(s.times[link])
        change, active = l.on_pre.change, l.active
        for a in active_places(l, b, g)
            j = active[a]
            sums[j] = combined(sums[j], change[j] * times, reduction)
        end
        link = s.next[link]
    end
    link = first
    @inbounds while link != 0
        l = lanes[s.lane[link]].learning[m]
        for a in active_places(l, b, g)
            j = l.active[a]
            sum, sums[j] = sums[j], zero(T)
            sum == 0 || !(place(b, g, j) in places) || change_weight!(row + sizeof(T) * j, factor * sum, limits)
        end
        link = s.next[link]
    end
end

@inline combined(a::T, b::T, reduction::Reduction) where {T} =
    reduction == max_of ? max(a, b) : reduction == min_of ? min(a, b) : a + b

"Take what was worked out for the active units of a group into the sums over the batch."
@inline function take_expected!(s::Workspace{T}, l::Learning{T}, b::Blocks, g::Integer, times::Integer, rule::Rule, places) where {T}
    change, active = l.on_pre.change, l.active
    @inbounds for a in active_places(l, b, g)
        j = active[a]
        place(b, g, j) in places && reduce_change!(s, j, change[j] * T(times), rule.reduction)
    end
end

"Fill in the elements of a presynaptic spike: active postsynaptic units of a group, or all where the change is not sparse."
function post_elements!(s::Workspace, lane::Lane{T}, r::Run{T}, m::Int, c::Connection, row::Ptr{T}, g::Integer, step::Int, places) where {T}
    b, side, post, l = c.blocks, c.rule.on_pre, lane.layers[c.post], lane.learning[m]
    weights, decays, n = r.weights + sizeof(T) * c.first_weight, r.decays[c.post], 0
    if side.sparse
        for a in active_places(l, b, g)
            j = l.active[a]
            place(b, g, j) in places || continue
            n += 1
            set_element!(s, n, j, row + sizeof(T) * j, weights, side, post, decays, j, step)
        end
    else
        for j in Int(b.offset[g])+1:Int(b.offset[g])+b.length
            place(b, g, j) in places || continue
            n += 1
            set_element!(s, n, j, row + sizeof(T) * j, weights, side, post, decays, j, step)
        end
    end
    return n
end

function learn_on_post!(r::Run{T}, lanes, present, s::Workspace, m::Int, c::Connection, step::Int, mine) where {T}
    b, rule, side = c.blocks, c.rule, c.rule.on_post
    weights = r.weights + sizeof(T) * c.first_weight
    factor, limits = scale(T, side, rule, length(present)), bounds(T, rule)
    if side.simple && length(present) == 1
        for j in lanes[present[1]].layers[c.post].spikes
            g = b.group_of[j]
            g > 0 && place(b, g, j) in mine || continue
            change_column!(weights + sizeof(T) * (j - Int(b.offset[g]) - 1), b, g, lanes[present[1]], c, m, factor, limits)
        end
        return
    end
    chain_spikes!(s, lanes, present, c.post, j -> b.group_of[j] > 0 && place(b, b.group_of[j], j) in mine)
    for j in s.spiking
        g = b.group_of[j]
        column = weights + sizeof(T) * (j - Int(b.offset[g]) - 1)
        link = s.head[j]
        s.head[j] = 0
        if side.simple && s.next[link] == 0 && linear(rule, length(present))
            change_column!(column, b, g, lanes[s.lane[link]], c, m, factor * T(s.times[link]), limits)
            continue
        end
        while link != 0
            lane, times = lanes[s.lane[link]], s.times[link]
            link = s.next[link]
            if side.simple
                take_expected_pre!(s, lane, b, g, c, m, times)
                continue
            end
            n = pre_elements!(s, lane, r, c, column, g, step)
            n == 0 && continue
            set_scalars!(s.post_scalars, side, lane.layers[c.post], r.decays[c.post], j, step, reward_of(r, lane, step))
            run_side!(s, side, s.post_scalars, n)
            take_changes!(s, lane.learning[m].eligibility, n, side, rule, times)
        end
        first = b.first_entry[g]
        @inbounds for e in s.touched
            change_weight!(column + sizeof(T) * b.entry_weight[first+e-1], T(side.sign) * reduced_change!(s, e, rule.reduction, length(present)), limits)
        end
        empty!(s.touched)
    end
end

"The weights of a postsynaptic unit that spikes in one example only move by what was worked out for its presynaptic units."
function change_column!(column::Ptr{T}, b::Blocks, g::Integer, lane::Lane{T}, c::Connection, m::Int, factor::T, limits) where {T}
    change, pre, last = lane.learning[m].on_post.change, lane.layers[c.pre], lane.layers[c.pre].last
    @inbounds if b.aligned
        first = b.first_entry[g] - 1
        for i in pre.active
            change_weight!(column + sizeof(T) * b.entry_weight[first+i], factor * change[i], limits)
        end
    else
        for e in entries(b, g)
            i = b.entry_pre[e]
            last[i] == 0 || change_weight!(column + sizeof(T) * b.entry_weight[e], factor * change[i], limits)
        end
    end
end

function take_expected_pre!(s::Workspace, lane::Lane{T}, b::Blocks, g::Integer, c::Connection, m::Int, times::Integer) where {T}
    change, pre, reduction = lane.learning[m].on_post.change, lane.layers[c.pre], c.rule.reduction
    @inbounds if b.aligned
        for i in pre.active
            reduce_change!(s, i, change[i] * T(times), reduction)
        end
    else
        for (n, e) in enumerate(entries(b, g))
            i = b.entry_pre[e]
            pre.last[i] == 0 || reduce_change!(s, n, change[i] * T(times), reduction)
        end
    end
end

"Fill in the elements of a postsynaptic spike: its active presynaptic units, or all where the change is not sparse."
function pre_elements!(s::Workspace, lane::Lane{T}, r::Run{T}, c::Connection, column::Ptr{T}, g::Integer, step::Int) where {T}
    b, side, pre = c.blocks, c.rule.on_post, lane.layers[c.pre]
    weights, decays, n = r.weights + sizeof(T) * c.first_weight, r.decays[c.pre], 0
    first = b.first_entry[g]
    @inbounds for e in entries(b, g)
        i = b.entry_pre[e]
        side.sparse && pre.last[i] == 0 && continue
        n += 1
        set_element!(s, n, e - first + 1, column + sizeof(T) * b.entry_weight[e], weights, side, pre, decays, i, step)
    end
    return n
end

"Every weight moves by reward times eligibility, reduced over the batch; then eligibility decays."
function follow_reward!(r::Run{T}, lanes, present, m::Int, c::Connection, step::Int, mine) where {T}
    b, rule = c.blocks, c.rule
    for g in 1:(b.shared ? 1 : groups(b)), e in entries(b, g), l in 1:b.length
        place(b, g, b.offset[g] + l) in mine || continue
        w = b.entry_weight[e] + l
        total = T(rule.reduction == max_of ? -Inf : rule.reduction == min_of ? Inf : 0.0)
        for n in present
            trace = lanes[n].learning[m].eligibility
            change = T(reward_of(r, lanes[n], step)) * trace[w]
            trace[w] *= T(rule.eligibility)
            total = rule.reduction == max_of ? max(total, change) : rule.reduction == min_of ? min(total, change) : total + change
        end
        rule.reduction == mean_of && (total /= T(length(present)))
        change_weight!(r.weights + sizeof(T) * (c.first_weight + w - 1), total, bounds(T, rule))
    end
end
