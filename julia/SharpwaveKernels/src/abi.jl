# The one table of kernels: a name, and for each argument its element type, whether it is read or written, and its named sizes.
# Python reads the table at start and builds its callers from it; nothing about a kernel's arguments is written twice.

const ABI_VERSION = 1

"Thrown by a kernel that refuses an argument: the caller names it in its error."
struct BadArgument <: Exception
    argument::String
    message::String
end
Base.showerror(io::IO, e::BadArgument) = print(io, e.argument, ": ", e.message)

"A kernel as the caller sees it: `text` is its signature, `pointer()` compiles it and gives a C function."
struct Kernel
    name::String
    text::String
    pointer::Function
end

const KERNELS = Kernel[]

const ELEMENT_TYPES = Dict("f64" => Float64, "f32" => Float32, "i64" => Int64, "i32" => Int32, "u64" => UInt64,
                           "u8" => UInt8)

struct Argument
    name::Symbol
    mode::String
    eltype::DataType
    sizes::Vector{String}
    array::Bool
end

function parse_argument(line::AbstractString)
    m = match(r"^(\w+)\s+(in|out|inout)\s+(\w+)(?:\s*\[([^\]]*)\])?(?:\s+nan)?$", strip(line))
    m === nothing && error("cannot read the kernel argument: ", line)
    sizes = m[4] === nothing ? String[] : String[strip(s) for s in split(m[4], ",")]
    Argument(Symbol(m[1]), m[2], ELEMENT_TYPES[m[3]], sizes, m[4] !== nothing)
end

signature_arguments(text) = Argument[parse_argument(l) for l in split(text, "\n") if !isempty(strip(l))]

# Arguments arrive as one vector of Int64 slots: a scalar takes one slot (its bits), an array takes a pointer and one slot a size.
scalar(::Type{Float64}, slot::Int64) = reinterpret(Float64, slot)
scalar(::Type{T}, slot::Int64) where {T<:Integer} = slot % T
scalar(::Type{Float32}, slot::Int64) = Float32(reinterpret(Float64, slot))

"Run a kernel's body; never let an exception through to C."
function guarded(body::F, message::Ptr{UInt8}, capacity::Int64) where {F}
    try
        body()
        return Int32(0)
    catch e
        cause = root_cause(e)
        cause isa Cancelled && return Int32(2)
        text = try
            cause isa BadArgument ? string(cause.argument, '\x1f', cause.message) : sprint(showerror, cause)
        catch
            "an error that could not be printed"
        end
        write_message(message, capacity, text)
        return Int32(cause isa BadArgument ? 3 : 1)
    end
end

function write_message(message::Ptr{UInt8}, capacity::Int64, text::String)
    stop = min(ncodeunits(text), capacity - 1)
    while stop > 0 && !isvalid(text, min(stop + 1, ncodeunits(text))) && stop < ncodeunits(text)
        stop -= 1                   # do not cut a character in two
    end
    GC.@preserve text unsafe_copyto!(message, pointer(text), stop)
    unsafe_store!(message, 0x00, stop + 1)
    return nothing
end

# A task that failed inside a threaded loop wraps the error that matters.
root_cause(e) = e
root_cause(e::TaskFailedException) = root_cause(e.task.exception)
root_cause(e::CompositeException) = isempty(e) ? e : root_cause(first(e))

"""
    @kernel name \"\"\"signature\"\"\"

Declare the function `name(control, arguments...)` of this module as a kernel. The signature has a line an argument:
`name mode type[sizes]`, with mode `in`, `out` or `inout`, type `f64 f32 i64 i32 u64 u8`, and sizes that are names (equal names
are equal numbers, checked by the caller) or integers; without brackets it is a scalar. Sizes are given in the caller's C order;
the kernel gets the same memory column-major, so its array has the sizes reversed. `nan` at the end of a line allows NaN in an input.
"""
macro kernel(name::Symbol, text::String)
    arguments = signature_arguments(text)
    wrapper = Symbol(:abi_, name)
    unpacked = Any[]
    slot = 1
    for a in arguments
        if a.array
            sizes = [:(unsafe_load(slots, $(slot + k))) for k in length(a.sizes):-1:1]
            push!(unpacked, :(unsafe_wrap(Array, Ptr{$(a.eltype)}(unsafe_load(slots, $slot)), ($(sizes...),))))
            slot += 1 + length(a.sizes)
        else
            push!(unpacked, :(scalar($(a.eltype), unsafe_load(slots, $slot))))
            slot += 1
        end
    end
    esc(quote
        function $wrapper(control::Ptr{Int64}, slots::Ptr{Int64}, message::Ptr{UInt8}, capacity::Int64)::Int32
            guarded(message, capacity) do
                $name(Control(control), $(unpacked...))
                nothing
            end
        end
        push!(KERNELS, Kernel($(string(name)), $text,
                              () -> @cfunction($wrapper, Int32, (Ptr{Int64}, Ptr{Int64}, Ptr{UInt8}, Int64))))
    end)
end

"The table as text: a version line, then for each kernel its name, its argument lines, and an empty line."
abi_table() = string("abi ", ABI_VERSION, "\n",
                     (string(k.name, "\n", join(filter(!isempty, strip.(split(k.text, "\n"))), "\n"), "\n\n") for k in KERNELS)...)

"The address of a kernel's C function; compiles it."
function abi_pointer(name::AbstractString)
    for k in KERNELS
        k.name == name && return UInt64(UInt(k.pointer()))
    end
    error("no kernel named ", name)
end
