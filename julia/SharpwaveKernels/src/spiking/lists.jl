# Lists of units that grow and are emptied in every step: Julia's push! costs a call into its runtime.

mutable struct UnitList
    items::Vector{Int32}
    count::Int
end
UnitList() = UnitList(Vector{Int32}(undef, 64), 0)

@inline function add!(list::UnitList, item::Integer)
    list.count += 1
    list.count > length(list.items) && resize!(list.items, 2 * length(list.items))
    @inbounds list.items[list.count] = item % Int32
    return nothing
end

Base.length(list::UnitList) = list.count
Base.isempty(list::UnitList) = list.count == 0
Base.empty!(list::UnitList) = (list.count = 0; list)
Base.eltype(::Type{UnitList}) = Int32
Base.@propagate_inbounds Base.getindex(list::UnitList, n::Integer) = list.items[n]
@inline Base.iterate(list::UnitList, n::Int = 1) = n > list.count ? nothing : (@inbounds(list.items[n]), n + 1)
contents(list::UnitList) = list.items[1:list.count]
