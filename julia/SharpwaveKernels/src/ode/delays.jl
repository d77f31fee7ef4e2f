# Values in the past: from the history before the start, from kept steps after it, and from the present step where that
# is longer than the delay.

"Set the delayed values at time t; t lies in the present step."
@inline function delayed_values!(x::Trajectory, s::System, t::Float64)
    delayed(s) && look_back!(x, s, t)
    return nothing
end

function look_back!(x::Trajectory, s::System, t::Float64)
    d = x.delays
    s.arguments!(d.arguments, x.p, t)
    for j in eachindex(d.arguments)
        a = d.arguments[j]
        if x.direction * (a - t) > smallest_step(t)
            d.ahead = true
        end
        if d.before[j]
            # at the start itself this is the value from the left: the step ends there
            s.history!(d.past, x.p, x.direction * (a - x.t0) < 0 ? a : x.t0)
            @inbounds for i in eachindex(x.lags)
                s.lag_delays[i] == j && (x.lags[i] = d.past[s.lag_variables[i]])
            end
        else
            read_kept!(x, s, j, x.direction * (a - x.t0) > 0 ? a : x.t0)
        end
    end
    return nothing
end

"The lagged variables of delay j at the time a, not before the start."
function read_kept!(x::Trajectory, s::System, j::Int, a::Float64)
    inside = x.direction * (a - x.t)
    degree = size(x.coefficients, 2) - 1
    if inside > smallest_step(x.t)
        # the present step's polynomial, or before there is one the last step's, continued
        x.delays.overlap = true
        theta = (a - x.piece_t) / x.piece_h
        coefficients, offset = x.coefficients, 0
    elseif inside >= 0
        @inbounds for i in eachindex(x.lags)
            s.lag_delays[i] == j && (x.lags[i] = x.u[s.lag_variables[i]])
        end
        return nothing
    elseif isnan(inside)
        fill!(x.lags, NaN)
        return nothing
    else
        r = x.record
        k = kept_step!(x, j, a)
        theta = (a - r.t[k]) / (r.t[k+1] - r.t[k])
        return read_polynomial!(x, s, j, r.coefficients, (k - 1) * x.n * (degree + 1), degree, theta)
    end
    return read_polynomial!(x, s, j, coefficients, offset, degree, theta)
end

function read_polynomial!(x::Trajectory, s::System, j::Int, coefficients, offset::Int, degree::Int, theta::Float64)
    @inbounds for i in eachindex(x.lags)
        s.lag_delays[i] == j && (x.lags[i] = horner(coefficients, offset + s.lag_variables[i], x.n, degree, theta))
    end
    return nothing
end

"The kept step that holds time a, from where delay j was found last."
function kept_step!(x::Trajectory, j::Int, a::Float64)
    times, direction = x.record.t, x.direction
    steps = length(times) - 1
    holds(k) = direction * (a - times[k]) >= 0 && direction * (a - times[k+1]) <= 0
    k = min(x.delays.cursor[j], steps)
    if !holds(k)
        if k < steps && holds(k + 1)
            k += 1
        else
            low, high = 1, steps + 1            # times[low] <= a < times[high]
            while high - low > 1
                middle = (low + high) >> 1
                direction * (a - times[middle]) >= 0 ? (low = middle) : (high = middle)
            end
            k = low
        end
    end
    x.delays.cursor[j] = k
    return k
end

# A step longer than its delay is iterated until the delayed values that lie inside it stop changing.
const MOST_ITERATIONS = 12
const ITERATION_TOLERANCE = 0.01        # of the error allowed; for fixed steps of the tolerances given

"Try a step; false if its delayed values do not settle and it must be shorter."
@inline function attempt_with_delays!(x::Trajectory, m, s::System, plan::Plan)
    d = x.delays
    d.overlap = false
    attempt!(x, m, s)
    delayed(s) && d.overlap || return true
    for _ in 1:MOST_ITERATIONS
        copyto!(d.previous, x.u_new)
        fit_step!(x, m)
        attempt!(x, m, s)
        change = 0.0
        for i in 1:x.n
            scale = muladd(plan.rtol, abs(x.u_new[i]), plan.atol[i])
            change = max(change, abs(x.u_new[i] - d.previous[i]) / scale)
        end
        change <= ITERATION_TOLERANCE && return true
        isnan(change) && return false
    end
    return false
end

# The derivative of a quartic at the first of five equal spacings.
const DIFFERENCE = (-25 / 12, 4.0, -3.0, 4 / 3, -1 / 4)

"""
The derivative of f in t with u held. With delays that includes the change of the delayed values, which the system's
`tgrad!` does not know: a five-point difference over half the step, whose error is of the order that a fifth-order method
bears.
"""
@inline function time_slope!(out, du, x::Trajectory, s::System)
    if !delayed(s)
        s.tgrad!(out, x.u, x.p, x.t, x.lags)
        return nothing
    end
    spacing = x.h / 8
    @inbounds for i in 1:x.n
        out[i] = DIFFERENCE[1] / spacing * x.slope[i]
    end
    for k in 1:4
        derivative!(du, x, s, x.u, x.t + k * spacing)
        @inbounds for i in 1:x.n
            out[i] += DIFFERENCE[k+1] / spacing * du[i]
        end
    end
    delayed_values!(x, s, x.t)      # for the Jacobian
    return nothing
end
