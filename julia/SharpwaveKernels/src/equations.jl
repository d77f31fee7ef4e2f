# Compiled systems of equations, kept under handles, and the kernels that compile and evaluate them.

# They live as long as the process: a handle is a position, and equal programs have one.
const COMPILED = Any[]
const COMPILED_HANDLES = Dict{Any,Int}()
const COMPILED_LOCK = ReentrantLock()

"The handle of a program's compiled functions; compiles a program only once."
function register_program(p::EquationProgram)
    lock(COMPILED_LOCK) do
        get!(COMPILED_HANDLES, program_contents(p)) do
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
    lent = (code, constants, rhs, jac_rows, jac_cols, jac_values, tgrad, lag_variables, lag_delays, delay_arguments,
            delay_constant, events, history, parameters)
    handle[1] = register_program(EquationProgram(map(copy, lent)...))
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
             ("arguments", arguments, system.ndelays), ("events", events, system.nevents),
             ("history", history, system.history! === nothing ? 0 : system.n))
    for (name, array, count) in sizes
        size(array, 1) == count || throw(BadArgument(name, "expected $count values a point, got $(size(array, 1))"))
    end
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
        system.history! === nothing || system.history!(view(history, :, i), p, t[i])
    end
    return nothing
end
