# Events: times at which a function of the state changes sign, found on the dense output.

# A step is looked at in this many stretches, so that two crossings in one step are not easily lost.
const STRETCHES = 4

"The event functions at theta of the step's polynomial; the state goes to `x.point`."
function event_values!(g, x::Trajectory, s::System, theta::Float64)
    interpolate!(x.point, x, theta)
    event_values!(g, x, s, x.point, muladd(theta, x.h, x.t))
end

function event_values!(g, x::Trajectory, s::System, u::Vector{Float64}, t::Float64)
    delayed_values!(x, s, t)
    s.events!(g, u, x.p, t, x.lags)
    return nothing
end

"Does the function change sign, in the direction that counts? One that starts at zero does not."
crosses(before::Float64, after::Float64, direction::Int) =
    direction >= 0 && before < 0 && after >= 0 || direction <= 0 && before > 0 && after <= 0

"Find the events of the step just fitted, in order; `x.g` holds the functions at its start and afterwards those at its end."
function find_events!(x::Trajectory, s::System, plan::Plan)
    empty!(x.found_theta)
    empty!(x.found_index)
    for stretch in 1:STRETCHES
        low, high = (stretch - 1) / STRETCHES, stretch / STRETCHES
        event_values!(x.g_new, x, s, high)
        for j in eachindex(x.g)
            crosses(x.g[j], x.g_new[j], plan.direction[j]) || continue
            insert_event!(x, bracketed_root!(x, s, j, low, high, x.g[j], x.g_new[j]), j)
            event_values!(x.g_new, x, s, high)
        end
        for j in eachindex(x.g)
            x.g[j] = x.g_new[j]
        end
    end
    return nothing
end

function insert_event!(x::Trajectory, theta::Float64, j::Int)
    k = length(x.found_theta)
    push!(x.found_theta, theta)
    push!(x.found_index, j)
    while k >= 1 && x.found_theta[k] > theta
        x.found_theta[k+1], x.found_index[k+1] = x.found_theta[k], x.found_index[k]
        x.found_theta[k], x.found_index[k] = theta, j
        k -= 1
    end
end

"""
The theta in [low, high] at which event j is zero, to rounding: ITP (Oliveira & Takahashi, ACM TOMS 47 (2020) 5), never
slower than bisection. It returns the end of the last bracket that lies past the crossing.
"""
function bracketed_root!(x::Trajectory, s::System, j::Int, low::Float64, high::Float64, g_low::Float64, g_high::Float64)
    tolerance = 2 * eps(high)
    width = high - low
    most = ceil(Int, log2(width / (2 * tolerance))) + 1
    for step in 0:most
        (high - low <= 2 * tolerance || g_high == 0) && break
        middle = (low + high) / 2
        guess = (g_high * low - g_low * high) / (g_high - g_low)
        towards = sign(middle - guess)
        shift = 0.2 / width * (high - low)^2
        guess = shift <= abs(middle - guess) ? guess + towards * shift : middle
        radius = max(tolerance * 2.0^(most - step) - (high - low) / 2, 0.0)
        theta = abs(guess - middle) <= radius ? guess : middle - towards * radius
        low < theta < high || (theta = middle)
        event_values!(x.g_new, x, s, theta)
        value = x.g_new[j]
        if value == 0 || (value > 0) == (g_high > 0)
            high, g_high = theta, value
        else
            low, g_low = theta, value
        end
    end
    return high
end

"Log the events of the step; the theta at which the trajectory ends, or 2.0."
function log_events!(log::EventLog, x::Trajectory, plan::Plan)
    for k in eachindex(x.found_theta)
        theta, j = x.found_theta[k], x.found_index[k]
        interpolate!(x.point, x, theta)
        push!(log.t, muladd(theta, x.h, x.t))
        push!(log.index, j)
        append!(log.y, x.point)
        x.occurrences[j] += 1
        plan.terminal[j] > 0 && x.occurrences[j] >= plan.terminal[j] && return theta
    end
    return 2.0
end
