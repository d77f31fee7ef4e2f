# Sums of rows of weights: what delivery spends its time on. Blocks of 32, 8 and 4 have a length that the compiler knows, so that
# a short row is not left to a scalar remainder; four rows at a time spare three passes over the target.

@inline function add_rows!(target::Ptr{T}, rows::NTuple{N,Ptr{T}}, n::Int) where {T,N}
    k = 0
    if sizeof(T) == 8                                       # in the compiler's own loop the remainder is short
        add_block!(target, rows, 0, n)
        return
    end
    while k + 32 <= n
        add_block!(target, rows, k, 32)
        k += 32
    end
    while k + 8 <= n
        add_block!(target, rows, k, 8)
        k += 8
    end
    if k + 4 <= n
        add_block!(target, rows, k, 4)
        k += 4
    end
    while k < n
        add_block!(target, rows, k, 1)
        k += 1
    end
end

@inline function add_block!(target::Ptr{T}, rows::NTuple{1,Ptr{T}}, first::Int, n::Int) where {T}
    @simd ivdep for l in 1:n
        unsafe_store!(target, unsafe_load(target, first + l) + unsafe_load(rows[1], first + l), first + l)
    end
end

# In the order of the rows, so that the sum is the one that row after row gives.
@inline function add_block!(target::Ptr{T}, rows::NTuple{2,Ptr{T}}, first::Int, n::Int) where {T}
    @simd ivdep for l in 1:n
        sum = unsafe_load(target, first + l) + unsafe_load(rows[1], first + l)
        unsafe_store!(target, sum + unsafe_load(rows[2], first + l), first + l)
    end
end

@inline function add_block!(target::Ptr{T}, rows::NTuple{4,Ptr{T}}, first::Int, n::Int) where {T}
    @simd ivdep for l in 1:n
        sum = unsafe_load(target, first + l) + unsafe_load(rows[1], first + l)
        sum = (sum + unsafe_load(rows[2], first + l)) + unsafe_load(rows[3], first + l)
        unsafe_store!(target, sum + unsafe_load(rows[4], first + l), first + l)
    end
end

"Add rows `rows[first+1:first+count]` to the target, each of n numbers."
@inline function add_all!(target::Ptr{T}, rows::Vector{Ptr{T}}, first::Int, count::Int, n::Int) where {T}
    k = first
    @inbounds begin
        while k + 4 <= first + count
            add_rows!(target, (rows[k+1], rows[k+2], rows[k+3], rows[k+4]), n)
            k += 4
        end
        if k + 2 <= first + count
            add_rows!(target, (rows[k+1], rows[k+2]), n)
            k += 2
        end
        k < first + count && add_rows!(target, (rows[k+1],), n)
    end
end

"Rows by group, in room for `spikes` rows each; grows as needed."
struct RowLists{T}
    rows::Vector{Ptr{T}}
    counts::Vector{Int}             # by group
end
RowLists{T}() where {T} = RowLists{T}(Ptr{T}[], Int[])

function make_room!(lists::RowLists, groups::Int, spikes::Int)
    length(lists.rows) < groups * spikes && resize!(lists.rows, 2 * groups * spikes)
    length(lists.counts) < groups && resize!(lists.counts, groups)
    for g in 1:groups
        lists.counts[g] = 0
    end
end
