# Where the solution is not smooth. The derivative jumps at the start, and delays carry that on: at each time t where an
# argument a_j(t) equals a breakpoint of level k, a derivative one order higher jumps, a breakpoint of level k + 1.
# Steps end on all breakpoints whose level is at most the method's order. With a constant delay they are known
# beforehand; else they are found as the argument crosses them.

"Prepare the delays at the start."
function start_delays!(x::Trajectory, s::System)
    delayed(s) || return nothing
    d = x.delays
    d.ahead = false
    foreach(empty!, (d.points, d.levels, d.pending, d.pending_levels))
    fill!(d.cursor, 1)
    s.arguments!(d.arguments, x.p, x.t0)
    for j in eachindex(d.arguments)
        d.lag[j] = x.t0 - d.arguments[j]
        d.before[j] = x.direction * d.lag[j] > 0
        d.passed[j] = d.before[j] ? 0 : 1
    end
    fill!(x.coefficients, 0.0)
    copyto!(x.coefficients, x.u)
    x.piece_t, x.piece_h = x.t0, x.direction
    pass_breakpoint!(x, s, x.t0, 0)
    return nothing
end

"Time t is a breakpoint: the derivative is new there, and constant delays carry it on."
function pass_breakpoint!(x::Trajectory, s::System, t::Float64, level::Int)
    d = x.delays
    x.has_slope = false
    level < x.order || return nothing
    push!(d.points, t)
    push!(d.levels, level)
    for j in eachindex(d.lag)
        s.delay_constant[j] && x.direction * d.lag[j] > 0 && expect_breakpoint!(x, t + d.lag[j], level + 1)
    end
    return nothing
end

"Add a breakpoint to come; one that differs by rounding only is the same."
function expect_breakpoint!(x::Trajectory, t::Float64, level::Int)
    d = x.delays
    k = 1
    while k <= length(d.pending) && x.direction * (d.pending[k] - t) < 0
        k += 1
    end
    for near in (k - 1, k)
        if 1 <= near <= length(d.pending) && abs(d.pending[near] - t) <= 8 * smallest_step(t)
            d.pending_levels[near] = min(d.pending_levels[near], level)
            return nothing
        end
    end
    insert!(d.pending, k, t)
    insert!(d.pending_levels, k, level)
    return nothing
end

"The next time that a step may not cross."
@inline next_stop(x::Trajectory, s::System, t1::Float64) =
    delayed(s) && !isempty(x.delays.pending) && x.direction * (x.delays.pending[1] - t1) < 0 ? x.delays.pending[1] : t1

"""
The present step `x.h` cut where a delay's argument first crosses a breakpoint, and that delay, or 0. Decides too for each
delay on which side of the start its argument lies during the step.
"""
@inline function split_at_crossing!(x::Trajectory, s::System)
    delayed(s) || return 0
    return find_crossing!(x, s)
end

function find_crossing!(x::Trajectory, s::System)
    d = x.delays
    crossing = 0
    for j in eachindex(d.arguments)
        s.delay_constant[j] && continue
        s.arguments!(d.arguments, x.p, x.t + x.h)
        target = crossed_point(x, j, d.arguments[j])
        target == 0 && continue
        x.h = crossing_time(x, s, j, d.points[target], target > d.passed[j]) - x.t
        crossing = j
    end
    s.arguments!(d.arguments, x.p, x.t + x.h / 2)
    for j in eachindex(d.arguments)
        d.before[j] = x.direction * (d.arguments[j] - x.t0) < 0
    end
    return crossing
end

"The breakpoint that delay j has crossed when its argument is a, or 0."
function crossed_point(x::Trajectory, j::Int, a::Float64)
    d = x.delays
    passed = d.passed[j]
    passed < length(d.points) && x.direction * (a - d.points[passed+1]) > 0 && return passed + 1
    passed > 0 && x.direction * (a - d.points[passed]) < 0 && return passed
    return 0
end

"The first representable time of the present step at which delay j's argument is past `point`, by bisection."
function crossing_time(x::Trajectory, s::System, j::Int, point::Float64, forwards::Bool)
    d = x.delays
    low, high = x.t, x.t + x.h
    while true
        middle = low + (high - low) / 2
        low < middle < high || high < middle < low || return high
        s.arguments!(d.arguments, x.p, middle)
        past = x.direction * (d.arguments[j] - point)
        (forwards ? past >= 0 : past <= 0) ? (high = middle) : (low = middle)
    end
end

"Book what the accepted step to x.t ended on: a pending breakpoint, a crossing of delay `crossing`, or neither."
@inline function book_breakpoints!(x::Trajectory, s::System, crossing::Int)
    delayed(s) && book!(x, s, crossing)
    return nothing
end

function book!(x::Trajectory, s::System, crossing::Int)
    d = x.delays
    if crossing > 0
        s.arguments!(d.arguments, x.p, x.t)
        passed = d.passed[crossing]
        forwards = passed < length(d.points) && x.direction * (d.arguments[crossing] - d.points[passed+1]) >= 0
        level = d.levels[forwards ? passed + 1 : passed]
        d.passed[crossing] += forwards ? 1 : -1
        pass_breakpoint!(x, s, x.t, level + 1)
    end
    while !isempty(d.pending) && x.direction * (x.t - d.pending[1]) >= 0
        t, level = popfirst!(d.pending), popfirst!(d.pending_levels)
        pass_breakpoint!(x, s, t, level)
    end
    return nothing
end
