# Presynaptic spikes of a dense layer of which many units are active: whole rows of weights, in vector instructions.

"Whether rows as a whole are cheaper than their active units one by one, in the mean over a batch."
function by_rows(lanes, present, c::Connection)
    b, active = c.blocks, 0
    groups(b) == 1 && c.rule.on_pre.simple || return false
    for n in present
        active += length(lanes[n].layers[c.post].active)
    end
    return 4 * active > b.length * length(present)
end

"As `learn_on_pre!`, by rows; changes of units that are not active are 0, and leave weights as they are."
function learn_rows!(r::Run{T}, lanes, present, s::Workspace{T}, m::Int, c::Connection, units) where {T}
    b, rule, batch = c.blocks, c.rule, length(present)
    weights, n = r.weights + sizeof(T) * c.first_weight, c.blocks.length
    factor, total = scale(T, rule.on_pre, rule, batch), pointer(s.total)
    chain_spikes!(s, lanes, present, c.pre, i -> i in units)
    @inbounds for i in s.spiking
        link = s.head[i]
        s.head[i] = 0
        first, spiked = true, 0
        while link != 0
            change = pointer(lanes[s.lane[link]].learning[m].on_pre.change, Int(b.offset[1]) + 1)
            take_row!(total, change, T(s.times[link]), n, rule.reduction, first)
            first, spiked, link = false, spiked + 1, s.next[link]
        end
        limit_row!(total, n, rule.reduction, spiked >= batch)
        for k in b.first_block[i]:b.first_block[i+1]-1
            change_row!(weights + sizeof(T) * b.block_weight[k], total, factor, n, T(rule.lower), T(rule.upper))
        end
    end
end

function take_row!(total::Ptr{T}, change::Ptr{T}, times::T, n::Int, reduction::Reduction, first::Bool) where {T}
    if first
        @simd ivdep for k in 1:n
            unsafe_store!(total, unsafe_load(change, k) * times, k)
        end
    elseif reduction == max_of || reduction == min_of
        sign = reduction == max_of ? one(T) : -one(T)
        @simd ivdep for k in 1:n
            a, b = unsafe_load(total, k), unsafe_load(change, k) * times
            unsafe_store!(total, ifelse(sign * b > sign * a, b, a), k)
        end
    else
        @simd ivdep for k in 1:n
            unsafe_store!(total, unsafe_load(total, k) + unsafe_load(change, k) * times, k)
        end
    end
end

"Examples without a spike count as changes of 0."
function limit_row!(total::Ptr{T}, n::Int, reduction::Reduction, all_spiked::Bool) where {T}
    (all_spiked || !(reduction == max_of || reduction == min_of)) && return
    sign = reduction == max_of ? one(T) : -one(T)
    @simd ivdep for k in 1:n
        a = unsafe_load(total, k)
        unsafe_store!(total, ifelse(sign * a > 0, a, zero(T)), k)
    end
end

function change_row!(row::Ptr{T}, total::Ptr{T}, factor::T, n::Int, lower::T, upper::T) where {T}
    @simd ivdep for k in 1:n
        w, change = unsafe_load(row, k), unsafe_load(total, k)
        moved = w + factor * change
        moved = ifelse(moved < lower, lower, ifelse(moved > upper, upper, moved))
        unsafe_store!(row, ifelse(change == 0, w, moved), k)
    end
end
