# The kernels of integration: check, integrate, and hand over what was not known to be so much beforehand.

# Kept steps and events of jobs, by the caller's keys, until they are fetched.
const KEPT_RESULTS = Dict{Int,Tuple{Vector{Record},Vector{EventLog}}}()
const KEPT_LOCK = ReentrantLock()

"""
Integrate the system of `handle` for a batch of initial states and parameters; see `Plan` for the arguments and `METHODS` for the
numbers of methods. `events` has a direction and a terminal count for each event function. `outcomes` has for each trajectory its
status (trajectory.jl), accepted and rejected steps, evaluations, Jacobians, factorizations, and how many kept steps and events
there are: if there are any, `fetch_result` gives them for the same `key`, once. Kept steps begin with the start.
"""
function integrate(control::Control, handle, method, y0, parameters, t0, t1, t_eval, rtol, atol, first_step, max_step, dt,
                   max_steps, events, save, key, y, t_end, outcomes)
    system = system_of(handle)
    for (name, given, wanted) in (("y0", size(y0, 1), system.n), ("parameters", size(parameters, 1), system.nparams),
                                  ("events", size(events, 2), system.nevents))
        given == wanted || throw(BadArgument(name, "expected $wanted values, got $given"))
    end
    haskey(METHODS, method) || throw(BadArgument("method", "expected a number from 1 to $(length(METHODS)), got $method"))
    delayed(system) && absent(system.history!) && throw(BadArgument("handle", "a delayed system needs a history"))
    plan = checked_plan(t0, t1, t_eval, rtol, atol, first_step, max_step, dt, max_steps, events[1, :], events[2, :], save)
    dt > 0 || METHODS[method] in (Rodas5P, Tsit5) || throw(BadArgument("dt", "this method needs a fixed step, got 0.0"))
    result = BatchResult(system, plan, y)
    integrate_batch!(result, system, METHODS[method], plan, y0, parameters, control)
    copyto!(t_end, result.t_end)
    for b in 1:size(y, 3)
        outcomes[1, b] = result.status[b]
        for k in 1:5
            outcomes[1+k, b] = result.statistics[k, b]
        end
        outcomes[7, b] = plan.save > 0 ? length(result.records[b].t) : 0
        outcomes[8, b] = system.nevents > 0 ? length(result.events[b].t) : 0
    end
    if any(k -> outcomes[7, k] + outcomes[8, k] > 0, 1:size(y, 3))
        # delays keep the polynomials for themselves, whether or not the caller wants them
        save > 1 || foreach(record -> empty!(record.coefficients), result.records)
        lock(() -> KEPT_RESULTS[key] = (result.records, result.events), KEPT_LOCK)
    end
end
@kernel integrate """
    handle in i64
    method in i64
    y0 in f64[batch, n]
    parameters in f64[batch, parameters]
    t0 in f64
    t1 in f64
    t_eval in f64[times]
    rtol in f64
    atol in f64[n]
    first_step in f64
    max_step in f64
    dt in f64
    max_steps in i64
    events in i64[events, 2]
    save in i64
    key in i64
    y out f64[batch, times, n]
    t_end out f64[batch]
    outcomes out i64[batch, 8]
"""

"""
Copy what `integrate` kept under `key`, and drop it. Steps, dense output and events of the trajectories lie one after the other,
in buffers of exactly their size; dense output has one polynomial less for each trajectory than there are steps.
"""
function fetch_result(::Control, key, step_t, step_y, dense, event_t, event_index, event_y)
    lock(KEPT_LOCK) do
        haskey(KEPT_RESULTS, key) || throw(BadArgument("key", "nothing is kept under $key"))
        r, e = KEPT_RESULTS[key]
        pairs = (("step_t", step_t, [a.t for a in r]), ("step_y", step_y, [a.y for a in r]),
                 ("dense", dense, [a.coefficients for a in r]), ("event_t", event_t, [a.t for a in e]),
                 ("event_index", event_index, [a.index .- 1 for a in e]), ("event_y", event_y, [a.y for a in e]))
        for (name, buffer, lists) in pairs
            wanted = sum(length.(lists))
            length(buffer) == wanted || throw(BadArgument(name, "expected $wanted numbers of room, got $(length(buffer))"))
        end
        foreach(((_, buffer, lists),) -> copy_lists!(buffer, lists), pairs)
        delete!(KEPT_RESULTS, key)
    end
end
@kernel fetch_result """
    key in i64
    step_t out f64[steps]
    step_y out f64[steps, n]
    dense out f64[pieces, powers, n]
    event_t out f64[found]
    event_index out i64[found]
    event_y out f64[found, n]
"""

function copy_lists!(buffer, lists)
    at = 1
    for list in lists
        copyto!(buffer, at, list, 1, length(list))
        at += length(list)
    end
end

function checked_plan(t0, t1, t_eval, rtol, atol, first_step, max_step, dt, max_steps, direction, terminal, save)
    direction_of_time = t1 < t0 ? -1.0 : 1.0
    isfinite(t0) && isfinite(t1) || throw(BadArgument("t1", "expected finite times, got $t0 and $t1"))
    all(k -> direction_of_time * (t_eval[k+1] - t_eval[k]) >= 0, 1:length(t_eval)-1) &&
        all(t -> direction_of_time * (t - t0) >= 0 && direction_of_time * (t1 - t) >= 0, t_eval) ||
        throw(BadArgument("t_eval", "expected times in order within $t0 to $t1"))
    0 < rtol < Inf || throw(BadArgument("rtol", "must be positive, got $rtol"))
    all(a -> 0 <= a < Inf, atol) || throw(BadArgument("atol", "must not be negative"))
    max_step > 0 || throw(BadArgument("max_step", "must be positive, got $max_step"))
    for (name, value) in (("first_step", first_step), ("dt", dt))
        0 <= value < Inf || throw(BadArgument(name, "must not be negative, got $value"))
    end
    max_steps > 0 || throw(BadArgument("max_steps", "must be positive, got $max_steps"))
    all(d -> d in (-1, 0, 1), direction) || throw(BadArgument("events", "expected a direction of -1, 0 or 1"))
    save in (0, 1, 2) || throw(BadArgument("save", "expected 0, 1 or 2, got $save"))
    return Plan(t0, t1, copy(t_eval), rtol, copy(atol), first_step, max_step, dt, max_steps, direction, terminal, save)
end
