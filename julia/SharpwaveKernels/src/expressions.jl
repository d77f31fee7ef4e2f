# Systems of equations given as data: a straight-line program of numbered operations becomes compiled functions.
#
# Nothing but operation numbers, indices and float64 constants reaches the compiler. All positions in a program count from 0;
# value i is the result of instruction i, a row (operation, a, b, c).

truth(condition::Bool) = ifelse(condition, 1.0, 0.0)
select(condition::T, a::T, b::T) where {T<:AbstractFloat} = ifelse(condition != 0, a, b)
logistic(x::AbstractFloat) = 1 / (1 + exp(-x))

# Outside its domain a function is NaN, so that a solver can reject its step; Base's functions throw.
nan_sqrt(x::AbstractFloat) = x < 0 ? oftype(x, NaN) : sqrt(x)
nan_log(x::AbstractFloat) = x < 0 ? oftype(x, NaN) : log(x)
nan_log1p(x::AbstractFloat) = x < -1 ? oftype(x, NaN) : log1p(x)
nan_asin(x::AbstractFloat) = abs(x) > 1 ? oftype(x, NaN) : asin(x)
nan_acos(x::AbstractFloat) = abs(x) > 1 ? oftype(x, NaN) : acos(x)
nan_sin(x::AbstractFloat) = isinf(x) ? oftype(x, NaN) : sin(x)
nan_cos(x::AbstractFloat) = isinf(x) ? oftype(x, NaN) : cos(x)
nan_tan(x::AbstractFloat) = isinf(x) ? oftype(x, NaN) : tan(x)
nan_pow(x::T, y::T) where {T<:AbstractFloat} = x < 0 && y != trunc(y) ? oftype(x, NaN) : x^y

struct EquationOperation
    name::String
    operands::Int           # values that it takes, from a on; an input takes none, its a is a position
    compute::Any
end

# The same numbers stand in python/sharpwave/equations/operations.py; a test holds the two together.
const OPERATIONS = Dict{Int,EquationOperation}(
    0 => EquationOperation("constant", 0, nothing),
    1 => EquationOperation("parameter", 0, nothing),
    2 => EquationOperation("variable", 0, nothing),
    3 => EquationOperation("lag", 0, nothing),
    4 => EquationOperation("time", 0, nothing),
    10 => EquationOperation("add", 2, +),
    11 => EquationOperation("subtract", 2, -),
    12 => EquationOperation("multiply", 2, *),
    13 => EquationOperation("divide", 2, /),
    14 => EquationOperation("negate", 1, -),
    15 => EquationOperation("pow", 2, nan_pow),
    20 => EquationOperation("less", 2, (a, b) -> truth(a < b)),
    21 => EquationOperation("less_equal", 2, (a, b) -> truth(a <= b)),
    22 => EquationOperation("equal", 2, (a, b) -> truth(a == b)),
    23 => EquationOperation("not_equal", 2, (a, b) -> truth(a != b)),
    24 => EquationOperation("select", 3, select),
    30 => EquationOperation("min", 2, min),
    31 => EquationOperation("max", 2, max),
    32 => EquationOperation("abs", 1, abs),
    33 => EquationOperation("sign", 1, sign),
    34 => EquationOperation("floor", 1, floor),
    35 => EquationOperation("ceil", 1, ceil),
    36 => EquationOperation("hypot", 2, hypot),
    40 => EquationOperation("sqrt", 1, nan_sqrt),
    41 => EquationOperation("exp", 1, exp),
    42 => EquationOperation("expm1", 1, expm1),
    43 => EquationOperation("log", 1, nan_log),
    44 => EquationOperation("log1p", 1, nan_log1p),
    50 => EquationOperation("sin", 1, nan_sin),
    51 => EquationOperation("cos", 1, nan_cos),
    52 => EquationOperation("tan", 1, nan_tan),
    53 => EquationOperation("asin", 1, nan_asin),
    54 => EquationOperation("acos", 1, nan_acos),
    55 => EquationOperation("atan", 1, atan),
    56 => EquationOperation("atan2", 2, atan),
    57 => EquationOperation("sinh", 1, sinh),
    58 => EquationOperation("cosh", 1, cosh),
    59 => EquationOperation("tanh", 1, tanh),
    60 => EquationOperation("sigmoid", 1, logistic),
)

"A system as data: what the kernel `compile_equations` is given, columns turned to rows. See `Program` on the caller's side."
struct EquationProgram
    code::Matrix{Int}               # (4, instructions)
    constants::Vector{Float64}
    rhs::Vector{Int}
    jac_rows::Vector{Int}
    jac_cols::Vector{Int}
    jac_values::Vector{Int}
    tgrad::Vector{Int}
    lag_variables::Vector{Int}
    lag_delays::Vector{Int}
    delay_arguments::Vector{Int}
    delay_constant::Vector{Int}
    events::Vector{Int}
    history::Vector{Int}
    parameters::Vector{Int}         # one element: their number
end

program_contents(p::EquationProgram) = ntuple(i -> getfield(p, i), fieldcount(EquationProgram))

"Throw `BadArgument` unless every operation is known and every index points where it may."
function check_program(p::EquationProgram)
    n = length(p.rhs)
    within(name, values, count) = all(v -> 0 <= v < count, values) ||
        throw(BadArgument(name, "an index outside 0:$(count - 1)"))
    same(name, values, count) = length(values) == count ||
        throw(BadArgument(name, "expected $count elements, got $(length(values))"))
    n > 0 || throw(BadArgument("rhs", "expected at least one equation"))
    same("parameters", p.parameters, 1)
    p.parameters[1] >= 0 || throw(BadArgument("parameters", "expected a count, got $(p.parameters[1])"))
    size(p.code, 1) == 4 || throw(BadArgument("code", "expected rows of 4 numbers"))
    instructions = size(p.code, 2)
    inputs = Dict(0 => length(p.constants), 1 => p.parameters[1], 2 => n, 3 => length(p.lag_variables), 4 => 1)
    for i in 1:instructions
        operation = get(OPERATIONS, p.code[1, i], nothing)
        operation === nothing && throw(BadArgument("code", "instruction $(i - 1): unknown operation $(p.code[1, i])"))
        count = operation.operands == 0 ? inputs[p.code[1, i]] : i - 1
        within("code", view(p.code, 2:max(operation.operands, 1) + 1, i), count)
    end
    for name in (:rhs, :jac_values, :tgrad, :delay_arguments, :events, :history)
        within(string(name), getfield(p, name), instructions)
    end
    within("jac_rows", p.jac_rows, n)
    within("jac_cols", p.jac_cols, n)
    within("lag_variables", p.lag_variables, n)
    within("lag_delays", p.lag_delays, length(p.delay_arguments))
    within("delay_constant", p.delay_constant, 2)
    same("jac_rows", p.jac_rows, length(p.jac_values))
    same("jac_cols", p.jac_cols, length(p.jac_values))
    same("tgrad", p.tgrad, n)
    same("lag_delays", p.lag_delays, length(p.lag_variables))
    same("delay_constant", p.delay_constant, length(p.delay_arguments))
    isempty(p.history) || same("history", p.history, n)
    return nothing
end

# What each function is called with; the first argument is what it writes.
const STATE_ARGUMENTS = (:out, :u, :p, :t, :lags)
const TIME_ARGUMENTS = (:out, :p, :t)

"A value to store: the instruction that computes it and its index in `out`, one or two numbers from 1 on."
struct Store
    value::Int
    index::Tuple{Vararg{Int}}
end

stores(values::Vector{Int}) = [Store(value + 1, (i,)) for (i, value) in enumerate(values)]

value_symbol(i::Int) = Symbol(:v, i)

"The expression of instruction `i` in terms of the values before it."
function instruction_expression(p::EquationProgram, i::Int)
    number, a = p.code[1, i], p.code[2, i] + 1
    number == 0 && return p.constants[a]
    number == 1 && return Expr(:call, getindex, :p, a)
    number == 2 && return Expr(:call, getindex, :u, a)
    number == 3 && return Expr(:call, getindex, :lags, a)
    number == 4 && return :t
    operation = OPERATIONS[number]
    return Expr(:call, operation.compute, (value_symbol(p.code[1 + k, i] + 1) for k in 1:operation.operands)...)
end

"Add to `needed` the instructions that value `i` needs and that are not there yet."
function need_values!(needed::Set{Int}, p::EquationProgram, i::Int)
    waiting = [i]
    while !isempty(waiting)
        j = pop!(waiting)
        j in needed && continue
        push!(needed, j)
        append!(waiting, (p.code[1 + k, j] + 1 for k in 1:OPERATIONS[p.code[1, j]].operands))
    end
    return needed
end

# A function of more instructions than this is split by its outputs: compile time grows faster than its length.
const CHUNK = 256

"""
    split_stores(p, wanted)

Split the stores into groups that need about `CHUNK` instructions each: pairs of the stores and their instructions. Values
that two groups share are computed in both.
"""
function split_stores(p::EquationProgram, wanted::Vector{Store})
    groups = Tuple{Vector{Store},Set{Int}}[]
    for store in wanted
        needed = need_values!(isempty(groups) ? Set{Int}() : copy(last(groups)[2]), p, store.value)
        if isempty(groups) || length(needed) > CHUNK
            push!(groups, ([store], need_values!(Set{Int}(), p, store.value)))
        else
            push!(last(groups)[1], store)
            groups[end] = (last(groups)[1], needed)
        end
    end
    return groups
end

"Compile a function of `arguments` that computes and stores values; the caller checks sizes, so its code does not."
function compile_stores(space::Module, p::EquationProgram, arguments, wanted::Vector{Store}; zeroed::Bool = false)
    groups = split_stores(p, wanted)
    body = zeroed ? Any[Expr(:call, fill!, :out, 0.0)] : Any[]
    if length(groups) == 1
        append!(body, store_statements(p, groups[1]...))
    else
        for (stored, needed) in groups
            part = compile_body(space, arguments, pushfirst!(store_statements(p, stored, needed), Expr(:meta, :noinline)))
            push!(body, Expr(:call, part, arguments...))
        end
    end
    return compile_body(space, arguments, body)
end

function store_statements(p::EquationProgram, stored::Vector{Store}, needed::Set{Int})
    lines = Any[Expr(:inbounds, true)]
    append!(lines, (Expr(:(=), value_symbol(i), instruction_expression(p, i)) for i in sort!(collect(needed))))
    append!(lines, (Expr(:call, setindex!, :out, value_symbol(s.value), s.index...) for s in stored))
    return push!(lines, Expr(:inbounds, :pop))
end

compile_body(space::Module, arguments, body::Vector{Any}) =
    Core.eval(space, Expr(:function, Expr(:tuple, arguments...), Expr(:block, body..., Expr(:return, nothing))))

"""
    compile_program(program)

Check a program and compile it into the functions of a system, all straight-line code that does not allocate:
`rhs!(du, u, p, t, lags)`, `jac!(J, u, p, t, lags)` (the whole n x n matrix), `tgrad!(dT, u, p, t, lags)`,
`arguments!(a, p, t)`, `events!(g, u, p, t, lags)`, `history!(u, p, t)` (`nothing` for a program without a history).
What they write may not overlap what they read. They are newer than the running code: call them through `Base.invokelatest`,
or below a function called through it.
"""
function compile_program(p::EquationProgram)
    check_program(p)
    space = Module(:CompiledEquations, false)       # knows no names, not even Base's
    jacobian = [Store(v + 1, (r + 1, c + 1)) for (v, r, c) in zip(p.jac_values, p.jac_rows, p.jac_cols)]
    return (n = length(p.rhs),
            nparams = p.parameters[1],
            nlags = length(p.lag_variables),
            ndelays = length(p.delay_arguments),
            nevents = length(p.events),
            rhs! = compile_stores(space, p, STATE_ARGUMENTS, stores(p.rhs)),
            jac! = compile_stores(space, p, STATE_ARGUMENTS, jacobian; zeroed = true),
            tgrad! = compile_stores(space, p, STATE_ARGUMENTS, stores(p.tgrad)),
            arguments! = compile_stores(space, p, TIME_ARGUMENTS, stores(p.delay_arguments)),
            lag_variables = p.lag_variables .+ 1,
            lag_delays = p.lag_delays .+ 1,
            delay_constant = Vector{Bool}(p.delay_constant .== 1),
            events! = compile_stores(space, p, STATE_ARGUMENTS, stores(p.events)),
            history! = isempty(p.history) ? nothing : compile_stores(space, p, TIME_ARGUMENTS, stores(p.history)))
end
