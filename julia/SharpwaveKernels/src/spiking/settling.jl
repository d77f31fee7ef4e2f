# After a batch: weights scaled to their sum, winners copied.

"After a batch: what a connection asks for, on a thread's share of units: weights scaled to their sum, winners copied."
function settle!(r::Run{T}, lanes, present, spaces, thread::Int, threads::Int) where {T}
    for (m, c) in enumerate(r.net.connections)
        plastic(c) || continue
        mine = shared_places(c, r.net, thread, threads)
        c.norm > 0 && normalise!(r, lanes, present, spaces[m], c, mine)
        c.copies_winner && copy_winners!(r, lanes, present, c, mine)
    end
end

"Scale the weights of the units that the batch may have changed; weights that groups share are scaled once."
function normalise!(r::Run{T}, lanes, present, s::Workspace, c::Connection, mine) where {T}
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
            add!(s.touched, l)
        end
        isempty(s.touched) || scale_columns!(r.weights + sizeof(T) * c.first_weight, b, g, s.touched, s.total, T(c.norm))
    end
    empty!(s.touched)
end

"Row by row, for the weights of a row are neighbours."
function scale_columns!(weights::Ptr{T}, b::Blocks, g::Int, places::UnitList, sums::Vector{T}, norm::T) where {T}
    @inbounds begin
        for k in 1:length(places)
            sums[k] = zero(T)
        end
        for e in entries(b, g)
            row = weights + sizeof(T) * b.entry_weight[e]
            for k in 1:length(places)
                sums[k] += abs(unsafe_load(row, places[k]))
            end
        end
        for k in 1:length(places)
            sums[k] = sums[k] > 0 ? norm / sums[k] : one(T)
        end
        for e in entries(b, g)
            row = weights + sizeof(T) * b.entry_weight[e]
            for k in 1:length(places)
                unsafe_store!(row, unsafe_load(row, places[k]) * sums[k], places[k])
            end
        end
    end
end

"Give the units at one place of all groups the weights of the one that spiked most."
function copy_winners!(r::Run{T}, lanes, present, c::Connection, mine) where {T}
    b = c.blocks
    weights = r.weights + sizeof(T) * c.first_weight
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
                from = weights + sizeof(T) * (b.entry_weight[b.first_entry[winner]+k] + l - 1)
                unsafe_store!(weights + sizeof(T) * (b.entry_weight[b.first_entry[g]+k] + l - 1), unsafe_load(from))
            end
        end
    end
end
