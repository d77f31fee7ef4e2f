# What is integrated: one system of equations as plain functions.

"""
    System(; n, nparams, rhs!, jac!, tgrad!, ...)

A system u' = f(t, u, u(a_1(t)), ...) of `n` equations. Every function may be any callable; the solver specialises on it.
Vectors that they get are `Vector{Float64}`, or `Matrix{Float64}` for `J`; they write their first argument and must not
keep any.

* `rhs!(du, u, p, t, lags)`: the derivative; `p` are the trajectory's `nparams` parameters.
* `jac!(J, u, p, t, lags)`: the whole Jacobian d rhs / d u, zeros included.
* `tgrad!(dT, u, p, t, lags)`: d rhs / d t where t stands explicitly.
* `arguments!(a, p, t)`: the times at which delayed values are taken, one for each delay; never later than t.
* `lag_variables`, `lag_delays`: `lags[i]` is variable `lag_variables[i]` at time `a[lag_delays[i]]`.
* `delay_constant`: for each delay, whether t - a(t) is the same at all times.
* `events!(g, u, p, t, lags)`: the `nevents` functions whose sign changes are events.
* `history!(u, p, t)`: the state before the start; needed only with delays.

A function outside its domain should give NaN: the step is then rejected.
"""
struct System{Delayed,F,J,T,A,E,H}
    n::Int
    nparams::Int
    nevents::Int
    rhs!::F
    jac!::J
    tgrad!::T
    arguments!::A
    lag_variables::Vector{Int}
    lag_delays::Vector{Int}
    delay_constant::Vector{Bool}
    events!::E
    history!::H
end

function System(; n, rhs!, nparams = 0, jac! = nothing, tgrad! = nothing, arguments! = nothing, lag_variables = Int[],
                lag_delays = Int[], delay_constant = Bool[], nevents = 0, events! = nothing, history! = nothing)
    System{!isempty(lag_variables),typeof(rhs!),typeof(jac!),typeof(tgrad!),typeof(arguments!),typeof(events!),typeof(history!)}(
        n, nparams, nevents, rhs!, jac!, tgrad!, arguments!, lag_variables, lag_delays, delay_constant, events!, history!)
end

delayed(::System{Delayed}) where {Delayed} = Delayed
