# Compiled equations behind C pointers: all systems then have the same types, and the solver is compiled once for a
# method and a number of equations, not once more for each system. A call costs some 5 ns; compiling the solver costs a
# second or two.

"A function (out, u, p, t, lags) by its address."
struct StateFunction
    address::Ptr{Cvoid}
end
"A function (J, u, p, t, lags) that writes a matrix."
struct JacobianFunction
    address::Ptr{Cvoid}
end
"A function (out, p, t)."
struct TimeFunction
    address::Ptr{Cvoid}
end

absent(f) = f === nothing
absent(f::TimeFunction) = f.address == C_NULL

const VECTOR, MATRIX = Ref{Vector{Float64}}, Ref{Matrix{Float64}}

# `Any` hands over the array itself, which is what `Ref` of a mutable type receives.
@inline (f::StateFunction)(out, u, p, t, lags) =
    ccall(f.address, Cvoid, (Any, Any, Any, Float64, Any), out, u, p, t, lags)
@inline (f::JacobianFunction)(J, u, p, t, lags) =
    ccall(f.address, Cvoid, (Any, Any, Any, Float64, Any), J, u, p, t, lags)
@inline (f::TimeFunction)(out, p, t) = ccall(f.address, Cvoid, (Any, Any, Float64), out, p, t)

"Compile a function that has no state of its own for arguments of these types; its address. Without a function, null."
address(::Nothing, types) = C_NULL
function address(f, types, result = Cvoid)
    Base.issingletontype(typeof(f)) || throw(ArgumentError("a function with state has no address"))
    space = Module(:FunctionAddress, false)
    Core.eval(space, Expr(:const, Expr(:(=), :f, f)))
    arguments = (:f, result, Expr(:tuple, types...))
    return Core.eval(space, Expr(:macrocall, GlobalRef(Base, Symbol("@cfunction")), LineNumberNode(0), arguments...))
end

state_function(f) = StateFunction(address(f, (VECTOR, VECTOR, VECTOR, Float64, VECTOR)))
jacobian_function(f) = JacobianFunction(address(f, (MATRIX, VECTOR, VECTOR, Float64, VECTOR)))
time_function(f) = TimeFunction(address(f, (VECTOR, VECTOR, Float64)))

"A system of compiled equations, from what `lookup` returns."
pointer_system(s) = System(n = s.n, nparams = s.nparams, nevents = s.nevents, rhs! = state_function(s.rhs!),
                           jac! = jacobian_function(s.jac!), tgrad! = state_function(s.tgrad!),
                           arguments! = time_function(s.arguments!), lag_variables = s.lag_variables, lag_delays = s.lag_delays,
                           delay_constant = s.delay_constant, events! = state_function(s.events!),
                           history! = time_function(s.history!))

# One for each handle, for the life of the process, as the equations themselves.
const POINTER_SYSTEMS = Dict{Int,Any}()
const POINTER_LOCK = ReentrantLock()

function system_of(handle::Integer)
    lock(POINTER_LOCK) do
        get!(() -> pointer_system(lookup(handle)), POINTER_SYSTEMS, Int(handle))
    end
end
