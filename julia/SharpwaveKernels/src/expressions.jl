# Systems of equations given as data: a straight-line program of numbered operations becomes compiled functions.
#
# Nothing but operation numbers, indices and float64 constants reaches the compiler. All positions in a program count from 0; value i
# is the result of instruction i, a row (operation, a, b, c).

truth(condition::Bool) = ifelse(condition, 1.0, 0.0)
select(condition::Float64, a::Float64, b::Float64) = ifelse(condition != 0, a, b)
sigmoid(x::Float64) = 1 / (1 + exp(-x))

# Outside its domain a function is NaN, so that a solver can reject its step; Base's functions throw.
nan_sqrt(x::Float64) = x < 0 ? NaN : sqrt(x)
nan_log(x::Float64) = x < 0 ? NaN : log(x)
nan_log1p(x::Float64) = x < -1 ? NaN : log1p(x)
nan_asin(x::Float64) = abs(x) > 1 ? NaN : asin(x)
nan_acos(x::Float64) = abs(x) > 1 ? NaN : acos(x)
nan_sin(x::Float64) = isinf(x) ? NaN : sin(x)
nan_cos(x::Float64) = isinf(x) ? NaN : cos(x)
nan_tan(x::Float64) = isinf(x) ? NaN : tan(x)
nan_pow(x::Float64, y::Float64) = x < 0 && y != trunc(y) ? NaN : x^y

struct Operation
    name::String
    operands::Int           # values that it takes, from a on; an input takes none, its a is a position
    compute::Any
end

# The same numbers stand in python/sharpwave/equations/operations.py; a test holds the two together.
const OPERATIONS = Dict{Int,Operation}(
    0 => Operation("constant", 0, nothing),
    1 => Operation("parameter", 0, nothing),
    2 => Operation("variable", 0, nothing),
    3 => Operation("lag", 0, nothing),
    4 => Operation("time", 0, nothing),
    10 => Operation("add", 2, +),
    11 => Operation("subtract", 2, -),
    12 => Operation("multiply", 2, *),
    13 => Operation("divide", 2, /),
    14 => Operation("negate", 1, -),
    15 => Operation("pow", 2, nan_pow),
    20 => Operation("less", 2, (a, b) -> truth(a < b)),
    21 => Operation("less_equal", 2, (a, b) -> truth(a <= b)),
    22 => Operation("equal", 2, (a, b) -> truth(a == b)),
    23 => Operation("not_equal", 2, (a, b) -> truth(a != b)),
    24 => Operation("select", 3, select),
    30 => Operation("min", 2, min),
    31 => Operation("max", 2, max),
    32 => Operation("abs", 1, abs),
    33 => Operation("sign", 1, sign),
    34 => Operation("floor", 1, floor),
    35 => Operation("ceil", 1, ceil),
    36 => Operation("hypot", 2, hypot),
    40 => Operation("sqrt", 1, nan_sqrt),
    41 => Operation("exp", 1, exp),
    42 => Operation("expm1", 1, expm1),
    43 => Operation("log", 1, nan_log),
    44 => Operation("log1p", 1, nan_log1p),
    50 => Operation("sin", 1, nan_sin),
    51 => Operation("cos", 1, nan_cos),
    52 => Operation("tan", 1, nan_tan),
    53 => Operation("asin", 1, nan_asin),
    54 => Operation("acos", 1, nan_acos),
    55 => Operation("atan", 1, atan),
    56 => Operation("atan2", 2, atan),
    57 => Operation("sinh", 1, sinh),
    58 => Operation("cosh", 1, cosh),
    59 => Operation("tanh", 1, tanh),
    60 => Operation("sigmoid", 1, sigmoid),
)

"A system as data: what the kernel `compile_equations` is given, columns turned to rows. See `Program` on the caller's side."
struct Program
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

contents(p::Program) = ntuple(i -> getfield(p, i), fieldcount(Program))

"Throw `BadArgument` unless every operation is known and every index points where it may."
function check_program(p::Program)
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

symbol(i::Int) = Symbol(:v, i)

"The expression of instruction `i` in terms of the values before it."
function instruction(p::Program, i::Int)
    number, a = p.code[1, i], p.code[2, i] + 1
    number == 0 && return p.constants[a]
    number == 1 && return Expr(:call, getindex, :p, a)
    number == 2 && return Expr(:call, getindex, :u, a)
    number == 3 && return Expr(:call, getindex, :lags, a)
    number == 4 && return :t
    operation = OPERATIONS[number]
    return Expr(:call, operation.compute, (symbol(p.code[1 + k, i] + 1) for k in 1:operation.operands)...)
end

"Add to `needed` the instructions that value `i` needs and that are not there yet."
function need!(needed::Set{Int}, p::Program, i::Int)
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
    chunks(p, wanted)

Split the stores into groups that need about `CHUNK` instructions each: pairs of the stores and their instructions. Values that two
groups share are computed in both.
"""
function chunks(p::Program, wanted::Vector{Store})
    groups = Tuple{Vector{Store},Set{Int}}[]
    for store in wanted
        needed = need!(isempty(groups) ? Set{Int}() : copy(last(groups)[2]), p, store.value)
        if isempty(groups) || length(needed) > CHUNK
            push!(groups, ([store], need!(Set{Int}(), p, store.value)))
        else
            push!(last(groups)[1], store)
            groups[end] = (last(groups)[1], needed)
        end
    end
    return groups
end

"Compile a function of `arguments` that computes and stores values; the caller checks sizes, so its code does not."
function compile_stores(space::Module, p::Program, arguments, wanted::Vector{Store}; zeroed::Bool = false)
    groups = chunks(p, wanted)
    body = zeroed ? Any[Expr(:call, fill!, :out, 0.0)] : Any[]
    if length(groups) == 1
        append!(body, statements(p, groups[1]...))
    else
        for (stored, needed) in groups
            part = compile_body(space, arguments, pushfirst!(statements(p, stored, needed), Expr(:meta, :noinline)))
            push!(body, Expr(:call, part, arguments...))
        end
    end
    return compile_body(space, arguments, body)
end

function statements(p::Program, stored::Vector{Store}, needed::Set{Int})
    lines = Any[Expr(:inbounds, true)]
    append!(lines, (Expr(:(=), symbol(i), instruction(p, i)) for i in sort!(collect(needed))))
    append!(lines, (Expr(:call, setindex!, :out, symbol(s.value), s.index...) for s in stored))
    return push!(lines, Expr(:inbounds, :pop))
end

compile_body(space::Module, arguments, body::Vector{Any}) =
    Core.eval(space, Expr(:function, Expr(:tuple, arguments...), Expr(:block, body..., Expr(:return, nothing))))

"""
    compile_program(program)

Compile a checked program into the functions of a system, all straight-line code that does not allocate:
`rhs!(du, u, p, t, lags)`, `jac!(J, u, p, t, lags)` (the whole n x n matrix), `tgrad!(dT, u, p, t, lags)`, `arguments!(a, p, t)`,
`events!(g, u, p, t, lags)`, `history!(u, p, t)`. They are newer than the running code: call them through `Base.invokelatest` or below
a function called through it.
"""
function compile_program(p::Program)
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
            delay_constant = p.delay_constant .== 1,
            events! = compile_stores(space, p, STATE_ARGUMENTS, stores(p.events)),
            history! = compile_stores(space, p, TIME_ARGUMENTS, stores(p.history)))
end

# Compiled systems live as long as the process: a handle is a position, and equal programs have one.
const COMPILED = Any[]
const COMPILED_HANDLES = Dict{Any,Int}()
const COMPILED_LOCK = ReentrantLock()

"The handle of a program's compiled functions; compiles a program only once."
function register_program(p::Program)
    lock(COMPILED_LOCK) do
        get!(COMPILED_HANDLES, contents(p)) do
            push!(COMPILED, compile_program(p))
            length(COMPILED)
        end
    end
end

"The compiled functions of a handle, as `compile_program` returns them."
function lookup(handle::Integer)
    lock(COMPILED_LOCK) do
        1 <= handle <= length(COMPILED) || throw(BadArgument("handle", "no equations were compiled under $handle"))
        COMPILED[handle]
    end
end

function compile_equations(::Control, code, constants, rhs, jac_rows, jac_cols, jac_values, tgrad, lag_variables, lag_delays,
                           delay_arguments, delay_constant, events, history, parameters, handle)
    # Copies: the caller's memory is only lent.
    handle[1] = register_program(Program(map(copy, (code, constants, rhs, jac_rows, jac_cols, jac_values, tgrad, lag_variables,
                                                    lag_delays, delay_arguments, delay_constant, events, history, parameters))...))
end
@kernel compile_equations """
    code in i64[instructions, 4]
    constants in f64[constants]
    rhs in i64[n]
    jac_rows in i64[nonzeros]
    jac_cols in i64[nonzeros]
    jac_values in i64[nonzeros]
    tgrad in i64[n]
    lag_variables in i64[lags]
    lag_delays in i64[lags]
    delay_arguments in i64[delays]
    delay_constant in i64[delays]
    events in i64[events]
    history in i64[history]
    parameters in i64[1]
    handle out i64[1]
"""

function evaluate_equations(::Control, handle, t, y, parameters, lags, rhs, jacobian, tgrad, arguments, events, history)
    system = lookup(handle)
    sizes = (("y", y, system.n), ("parameters", parameters, system.nparams), ("lags", lags, system.nlags),
             ("arguments", arguments, system.ndelays), ("events", events, system.nevents))
    for (name, array, count) in sizes
        size(array, 1) == count || throw(BadArgument(name, "expected $count values a point, got $(size(array, 1))"))
    end
    size(history, 1) in (0, system.n) || throw(BadArgument("history", "expected 0 or $(system.n) values a point"))
    Base.invokelatest(evaluate_points, system, t, y, parameters, lags, rhs, jacobian, tgrad, arguments, events, history)
end
@kernel evaluate_equations """
    handle in i64
    t in f64[points] nan
    y in f64[points, n] nan
    parameters in f64[points, parameters] nan
    lags in f64[points, lags] nan
    rhs out f64[points, n]
    jacobian out f64[points, n, n]
    tgrad out f64[points, n]
    arguments out f64[points, delays]
    events out f64[points, events]
    history out f64[points, history]
"""

"Everything that the compiled functions compute, at many points; see the kernel `evaluate_equations`."
function evaluate_points(system, t, y, parameters, lags, rhs, jacobian, tgrad, arguments, events, history)
    J = zeros(system.n, system.n)
    for i in eachindex(t)
        u, p, l = view(y, :, i), view(parameters, :, i), view(lags, :, i)
        system.rhs!(view(rhs, :, i), u, p, t[i], l)
        system.jac!(J, u, p, t[i], l)
        permutedims!(view(jacobian, :, :, i), J, (2, 1))        # the caller's matrices are row by row
        system.tgrad!(view(tgrad, :, i), u, p, t[i], l)
        system.arguments!(view(arguments, :, i), p, t[i])
        system.events!(view(events, :, i), u, p, t[i], l)
        isempty(history) || system.history!(view(history, :, i), p, t[i])
    end
    return nothing
end
