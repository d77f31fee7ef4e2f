# Programs that do the same for every unit of a population, given as data: a straight-line program of the operations in
# expressions.jl becomes one loop over units. Neuron models and plasticity rules are such programs.

# Inputs of a program: a number that is the same for all units, and an element of an array.
const SCALAR, ELEMENT = 0, 2

"""
What the kernel `compile_unitwise` is given, columns turned to rows. `code` has rows (operation, a, b, c); `outputs` rows
(array, value): which value goes to which array.
"""
struct UnitProgram
    code::Matrix{Int}               # (4, instructions)
    outputs::Matrix{Int}            # (2, outputs)
end

operands(p::UnitProgram, i::Int) = (p.code[1 + k, i] + 1 for k in 1:OPERATIONS[p.code[1, i]].operands)

function check_program(p::UnitProgram)
    size(p.outputs, 2) > 0 || throw(BadArgument("outputs", "expected at least one"))
    all(k -> 0 <= k < typemax(Int), p.outputs) && all(<(size(p.code, 2)), p.outputs[2, :]) ||
        throw(BadArgument("outputs", "expected numbers of arrays and of instructions"))
    for i in axes(p.code, 2)
        number = p.code[1, i]
        number in (SCALAR, ELEMENT) || (haskey(OPERATIONS, number) && OPERATIONS[number].operands > 0) ||
            throw(BadArgument("code", "instruction $(i - 1): operation $number is not one for units"))
        number in (SCALAR, ELEMENT) ? 0 <= p.code[2, i] < typemax(Int) || throw(BadArgument("code", "a negative position")) :
            all(j -> 1 <= j < i, operands(p, i)) ||
            throw(BadArgument("code", "instruction $(i - 1) needs one that does not come before it"))
    end
end

"For each instruction whether its value is the same for all units."
function same_for_all(p::UnitProgram)
    same = falses(size(p.code, 2))
    for i in eachindex(same)
        number = p.code[1, i]
        same[i] = number == SCALAR || (number != ELEMENT && all(j -> same[j], operands(p, i)))
    end
    return same
end

"""
    unit_loop(program, T)

A function `(arrays, scalars, first, last)` over pointers to numbers of type T: runs the program for units first to last and returns the sum of what
it has written as its last output. All outputs are computed from the elements before.
"""
function unit_loop(p::UnitProgram, T::DataType)
    same = same_for_all(p)
    value(i) = Symbol(:value, i)
    array(k) = Symbol(:array, k)
    function assignment(i)
        number, a = p.code[1, i], p.code[2, i]
        number == SCALAR && return :($(value(i)) = unsafe_load(scalars, $(a + 1)))
        number == ELEMENT && return :($(value(i)) = unsafe_load($(array(a)), i))
        return :($(value(i)) = $T($(Expr(:call, OPERATIONS[number].compute, map(value, operands(p, i))...))))
    end
    used = sort!(unique!([p.outputs[1, :]; [p.code[2, i] for i in axes(p.code, 2) if p.code[1, i] == ELEMENT]]))
    stores = [:(unsafe_store!($(array(p.outputs[1, k])), $(value(p.outputs[2, k] + 1)), i)) for k in axes(p.outputs, 2)]
    return quote
        function (arrays::Ptr{Ptr{$T}}, scalars::Ptr{$T}, first::Int, last::Int)
            $((:($(array(k)) = unsafe_load(arrays, $(k + 1))) for k in used)...)
            $((assignment(i) for i in axes(p.code, 2) if same[i])...)
            total = zero($T)
            @simd ivdep for i in first:last
                $((assignment(i) for i in axes(p.code, 2) if !same[i])...)
                $(stores...)
                total += $(value(p.outputs[2, end] + 1))
            end
            return total
        end
    end
end

"The type of numbers of so many bits."
float_of(bits) = bits == 64 ? Float64 : bits == 32 ? Float32 : throw(BadArgument("bits", "expected 32 or 64, got $bits"))

"A compiled loop, the type of its numbers, and how many arrays and scalars it reads."
struct UnitLoop
    loop::Ptr{Cvoid}
    number::DataType
    arrays::Int
    scalars::Int
end

# Loops by their handles, and the handles of programs: programs that are equal are compiled once, for the life of the process.
const UNIT_LOOPS = UnitLoop[]
const UNIT_HANDLES = Dict{Tuple{DataType,Matrix{Int},Matrix{Int}},Int}()
const UNIT_LOCK = ReentrantLock()

function compile_unitwise(::Control, bits, code, outputs, handle)
    T = float_of(bits)
    size(code, 1) == 4 && size(outputs, 1) == 2 || throw(BadArgument("code", "expected rows of 4 and of 2 numbers"))
    p = UnitProgram(copy(code), copy(outputs))
    check_program(p)
    lock(UNIT_LOCK) do
        handle[1] = get!(UNIT_HANDLES, (T, p.code, p.outputs)) do
            f = Core.eval(Module(:UnitLoop), unit_loop(p, T))
            inputs(kind) = [p.code[2, i] + 1 for i in axes(p.code, 2) if p.code[1, i] == kind]
            push!(UNIT_LOOPS, UnitLoop(address(f, (Ptr{Ptr{T}}, Ptr{T}, Int, Int), T), T,
                                       maximum([p.outputs[1, :] .+ 1; inputs(ELEMENT)]), maximum([0; inputs(SCALAR)])))
            length(UNIT_LOOPS)
        end
    end
end
@kernel compile_unitwise """
    bits in i64
    code in i64[instructions, 4]
    outputs in i64[outputs, 2]
    handle out i64[1]
"""

"The compiled loop of a handle that is to be given so many arrays and scalars."
function compiled_loop(name::String, handle::Integer, T::DataType, arrays::Int, scalars::Int)
    lock(UNIT_LOCK) do
        1 <= handle <= length(UNIT_LOOPS) || throw(BadArgument(name, "there is no program $handle"))
        u = UNIT_LOOPS[handle]
        u.number === T || throw(BadArgument(name, "the program is for $(u.number), the network for $T"))
        u.arrays <= arrays && u.scalars <= scalars ||
            throw(BadArgument(name, "the program reads $(u.arrays) arrays and $(u.scalars) scalars, got $arrays and $scalars"))
        return u.loop
    end
end

for T in (Float64, Float32)
    @eval @inline run_units(loop::Ptr{Cvoid}, arrays::Ptr{Ptr{$T}}, scalars::Ptr{$T}, first::Int, last::Int) =
        ccall(loop, $T, (Ptr{Ptr{$T}}, Ptr{$T}, Int, Int), arrays, scalars, first, last)
end
