# One trajectory from start to end.

"Where a trajectory's results go: its own columns and lists."
struct Outcome
    y::Array{Float64,3}             # (variable, time, trajectory), NaN where not reached
    b::Int
    record::Record
    events::EventLog
    done::Threads.Atomic{Int}       # thousandths of a trajectory, over the whole batch
end

"What the step loop carries from one step to the next."
mutable struct Progress
    status::Int
    wanted::Float64         # the magnitude of the next step
    previous::Float64       # the last accepted step's log error
    held::Bool              # the last try was rejected: no growth
    next::Int               # the next of t_eval
    base::Float64           # fixed steps are counted from here
    taken::Int
    crossing::Int           # the delay whose crossing this step ends on, or 0
    reported::Int           # thousandths of this trajectory told to the caller
end

"Integrate from `y0` with parameters `p`; returns the status."
function integrate_trajectory!(out::Outcome, x::Trajectory, m, s::System, plan::Plan, y0, p, b::Int, control::Control)
    start!(x, s, plan, out, y0, p, b)
    c = Progress(RUNNING, plan.dt, 0.0, false, 1, plan.t0, 0, 0, 0)
    emit_start!(out, x, c, plan)
    derivative!(x.slope, x, s, x.u, x.t)
    x.has_slope = true
    if !all(isfinite, x.slope)
        c.status = NOT_FINITE
    elseif x.delays.ahead
        c.status = ARGUMENT_AHEAD
    elseif plan.t0 == plan.t1
        c.status = REACHED_END
    elseif plan.dt == 0
        c.wanted = plan.first_step > 0 ? plan.first_step : initial_step(x, s, plan)
    end
    s.nevents > 0 && event_values!(x.g, x, s, x.u, x.t)
    run_steps!(out, x, m, s, plan, c, control)
    report!(out, c, 1000, control)
    return c.status
end

"Tell the caller how far the batch is."
function report!(out::Outcome, c::Progress, thousandths::Int, control::Control)
    risen = thousandths - c.reported
    progress!(control, Threads.atomic_add!(out.done, risen) + risen)
    c.reported = thousandths
    return nothing
end

function start!(x::Trajectory, s::System, plan::Plan, out::Outcome, y0, p, b::Int)
    for i in 1:x.n
        x.u[i] = y0[i, b]
    end
    for i in eachindex(x.p)
        x.p[i] = p[i, b]
    end
    x.record = out.record
    clear!(x.record)
    x.direction = plan.t1 < plan.t0 ? -1.0 : 1.0
    x.t = x.t0 = plan.t0
    x.h = 0.0
    x.accepted = x.rejected = x.evaluations = x.jacobians = x.factorizations = 0
    fill!(x.occurrences, 0)
    start_delays!(x, s)
    keeps_steps(s, plan) && keep_start!(x, plan.save)
    return nothing
end

keeps_steps(s::System, plan::Plan) = delayed(s) || plan.save > 0
keeps_dense(s::System, plan::Plan) = delayed(s) || plan.save > 1

"The step loop: it does not allocate, but for what is kept."
function run_steps!(out::Outcome, x::Trajectory, m, s::System, plan::Plan, c::Progress, control::Control)
    while c.status == RUNNING
        tries = x.accepted + x.rejected
        if tries >= plan.max_steps
            c.status = STEP_LIMIT
            break
        end
        if tries & 127 == 127
            cancelled(control) && break
            report!(out, c, floor(Int, 1000 * abs((x.t - plan.t0) / (plan.t1 - plan.t0))), control)
        end
        t_new = choose_step!(x, s, plan, c)
        if !(abs(x.h) > 0)
            c.status = STEP_TOO_SMALL
            break
        end
        if !x.has_slope
            derivative!(x.slope, x, s, x.u, x.t)
            x.has_slope = true
        end
        if attempt_with_delays!(x, m, s, plan)
            error = plan.dt > 0 ? (all_finite(x) ? -1.0 : NaN) : log_error(x, plan)
        else
            error = NaN
        end
        if x.delays.ahead
            c.status = ARGUMENT_AHEAD
        elseif error <= 0
            accept!(out, x, m, s, plan, c, t_new, error)
        else
            reject!(x, plan, c, error)
        end
    end
    return nothing
end

"Set the step to try; returns the time at which it ends."
function choose_step!(x::Trajectory, s::System, plan::Plan, c::Progress)
    stop = next_stop(x, s, plan.t1)
    left = abs(stop - x.t)
    if plan.dt > 0
        t_new = muladd(x.direction * plan.dt, c.taken + 1, c.base)
        # a last step that is longer by rounding only is not cut in two
        x.direction * (t_new - stop) > -1e-9 * plan.dt && (t_new = stop)
    else
        h = min(c.wanted, plan.max_step)
        # the last step may be a little longer; two equal ones are better than one and a rest
        t_new = h >= 0.99 * left ? stop : x.t + x.direction * (2 * h > left ? left / 2 : h)
    end
    x.h = t_new - x.t
    c.crossing = split_at_crossing!(x, s)
    return c.crossing > 0 ? x.t + x.h : t_new
end

function all_finite(x::Trajectory)
    total = 0.0
    @inbounds for i in 1:x.n
        total += 0.0 * x.u_new[i]
    end
    return total == 0
end

function reject!(x::Trajectory, plan::Plan, c::Progress, error::Float64)
    x.rejected += 1
    if plan.dt > 0
        c.status = NOT_FINITE
        return nothing
    end
    c.wanted = abs(x.h) * shrink(error)
    c.held = true
    c.wanted < smallest_step(x.t) && (c.status = STEP_TOO_SMALL)
    return nothing
end

function accept!(out::Outcome, x::Trajectory, m, s::System, plan::Plan, c::Progress, t_new::Float64, error::Float64)
    x.accepted += 1
    emits = c.next <= length(plan.t_eval) && x.direction * (plan.t_eval[c.next] - t_new) <= 0
    if emits || s.nevents > 0 || keeps_dense(s, plan)
        fit_step!(x, m)
    end
    last_theta = 2.0
    if s.nevents > 0
        find_events!(x, s, plan)
        last_theta = log_events!(out.events, x, plan)
    end
    if last_theta <= 1
        end_at_event!(out, x, s, plan, c, last_theta)
        return nothing
    end
    emits && emit!(out, x, plan, c, t_new)
    keeps_steps(s, plan) && keep_step!(x, t_new, x.u_new, plan.save, keeps_dense(s, plan))
    next_step_size!(x, plan, c, error)
    x.u, x.u_new = x.u_new, x.u
    x.has_slope = reuses_slope(m)
    x.has_slope && ((x.slope, x.slope_new) = (x.slope_new, x.slope))
    x.t = t_new
    if delayed(s)
        book_breakpoints!(x, s, c.crossing)
        x.has_slope || (c.base = t_new; c.taken = -1)
    end
    c.taken += 1
    t_new == plan.t1 && (c.status = REACHED_END)
    return nothing
end

function next_step_size!(x::Trajectory, plan::Plan, c::Progress, error::Float64)
    plan.dt > 0 && return nothing
    factor = growth(error, c.previous)
    c.held && (factor = min(factor, 1.0))
    step = abs(x.h) * factor
    # a step that was cut short says little about the one after
    c.wanted = !c.held && abs(x.h) < 0.99 * c.wanted ? max(step, c.wanted) : step
    c.previous = error
    c.held = false
    return nothing
end

"End at theta of the present step."
function end_at_event!(out::Outcome, x::Trajectory, s::System, plan::Plan, c::Progress, theta::Float64)
    t_end = muladd(theta, x.h, x.t)
    interpolate!(x.u_new, x, theta)
    emit!(out, x, plan, c, t_end)
    if keeps_steps(s, plan)
        shorten!(x, theta)
        keep_step!(x, t_end, x.u_new, plan.save, keeps_dense(s, plan))
    end
    x.u, x.u_new = x.u_new, x.u
    x.t = t_end
    c.status = STOPPED_BY_EVENT
    return nothing
end

"Write the states at the wanted times up to t_end, the end of the present step."
function emit!(out::Outcome, x::Trajectory, plan::Plan, c::Progress, t_end::Float64)
    y, b = out.y, out.b
    while c.next <= length(plan.t_eval)
        t = plan.t_eval[c.next]
        x.direction * (t - t_end) > 0 && break
        if t == t_end
            @inbounds for i in 1:x.n
                y[i, c.next, b] = x.u_new[i]
            end
        else
            theta = (t - x.piece_t) / x.h
            degree = size(x.coefficients, 2) - 1
            @inbounds for i in 1:x.n
                y[i, c.next, b] = horner(x.coefficients, i, x.n, degree, theta)
            end
        end
        c.next += 1
    end
    return nothing
end

"Write the initial state where it is wanted."
function emit_start!(out::Outcome, x::Trajectory, c::Progress, plan::Plan)
    while c.next <= length(plan.t_eval) && plan.t_eval[c.next] == plan.t0
        @inbounds for i in 1:x.n
            out.y[i, c.next, out.b] = x.u[i]
        end
        c.next += 1
    end
    return nothing
end
