# The kernels of integration: check, integrate, and hand over what fits.

# Results that did not fit the caller's buffers, until they are fetched.
const KEPT_RESULTS = Dict{Int,Tuple{Vector{Record},Vector{EventLog}}}()
const KEPT_COUNT = Ref(0)
const KEPT_LOCK = ReentrantLock()

"""
Integrate the system of `handle` for a batch of initial states and parameters; see `Plan` for the arguments, `METHODS` for
the numbers of methods and trajectory.jl for those of status. Steps, dense output and events of the trajectories lie one
after the other in their buffers, `step_counts` and `event_counts` long; dense output has one polynomial less than there
are steps kept, since these hold the start. If `kept[1]` is not 0 the buffers were too small and hold nothing: get them
with `fetch_result`, once.
"""
function integrate(control::Control, handle, method, y0, parameters, t0, t1, t_eval, rtol, atol, first_step, max_step, dt,
                   max_steps, event_direction, event_terminal, save, y, status, statistics, t_end, y_end, step_counts, step_t,
                   step_y, dense, event_counts, event_t, event_index, event_y, kept)
    system = system_of(handle)
    for (name, given, wanted) in (("y0", size(y0, 1), system.n), ("parameters", size(parameters, 1), system.nparams),
                                  ("event_direction", length(event_direction), system.nevents))
        given == wanted || throw(BadArgument(name, "expected $wanted values, got $given"))
    end
    haskey(METHODS, method) || throw(BadArgument("method", "expected a number from 1 to $(length(METHODS)), got $method"))
    delayed(system) && absent(system.history!) && throw(BadArgument("handle", "a delayed system needs a history"))
    plan = checked_plan(t0, t1, t_eval, rtol, atol, first_step, max_step, dt, max_steps, event_direction, event_terminal, save)
    dt > 0 || METHODS[method] in (Rodas5P, Tsit5) || throw(BadArgument("dt", "this method needs a fixed step, got 0.0"))
    result = BatchResult(system, plan, y)
    integrate_batch!(result, system, METHODS[method], plan, y0, parameters, control)
    copyto!(status, result.status)
    copyto!(statistics, result.statistics)
    copyto!(t_end, result.t_end)
    copyto!(y_end, result.y_end)
    for b in eachindex(status)
        step_counts[b] = plan.save > 0 ? length(result.records[b].t) : 0
        event_counts[b] = system.nevents > 0 ? length(result.events[b].t) : 0
    end
    kept[1] = 0
    # delays keep the polynomials for themselves, whether or not the caller wants them
    save > 1 || foreach(record -> empty!(record.coefficients), result.records)
    if !hand_over!(result.records, result.events, step_t, step_y, dense, event_t, event_index, event_y)
        lock(KEPT_LOCK) do
            kept[1] = KEPT_COUNT[] += 1
            KEPT_RESULTS[kept[1]] = (result.records, result.events)
        end
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
    event_direction in i64[events]
    event_terminal in i64[events]
    save in i64
    y out f64[batch, times, n]
    status out i64[batch]
    statistics out i64[batch, 5]
    t_end out f64[batch]
    y_end out f64[batch, n]
    step_counts out i64[batch]
    step_t out f64[steps]
    step_y out f64[steps, n]
    dense out f64[pieces, powers, n]
    event_counts out i64[batch]
    event_t out f64[found]
    event_index out i64[found]
    event_y out f64[found, n]
    kept out i64[1]
"""

"Copy and drop what `integrate` kept under `key`; every buffer must be large enough."
function fetch_result(::Control, key, step_t, step_y, dense, event_t, event_index, event_y)
    lock(KEPT_LOCK) do
        haskey(KEPT_RESULTS, key) || throw(BadArgument("key", "nothing is kept under $key"))
        hand_over!(KEPT_RESULTS[key]..., step_t, step_y, dense, event_t, event_index, event_y) ||
            throw(BadArgument("key", "the buffers are smaller than what is kept"))
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
    all(d -> d in (-1, 0, 1), direction) || throw(BadArgument("event_direction", "expected -1, 0 or 1"))
    save in (0, 1, 2) || throw(BadArgument("save", "expected 0, 1 or 2, got $save"))
    return Plan(t0, t1, copy(t_eval), rtol, copy(atol), first_step, max_step, dt, max_steps, copy(direction), copy(terminal), save)
end

"Copy the lists of all trajectories into the buffers, one after the other; false, and nothing copied, if one does not fit."
function hand_over!(r::Vector{Record}, e::Vector{EventLog}, step_t, step_y, dense, event_t, event_index, event_y)
    pairs = ((step_t, [a.t for a in r]), (step_y, [a.y for a in r]), (dense, [a.coefficients for a in r]),
             (event_t, [a.t for a in e]), (event_index, [a.index .- 1 for a in e]), (event_y, [a.y for a in e]))
    all(((buffer, lists),) -> mapreduce(length, +, lists; init = 0) <= length(buffer), pairs) || return false
    for (buffer, lists) in pairs
        at = 1
        for list in lists
            copyto!(buffer, at, list, 1, length(list))
            at += length(list)
        end
    end
    return true
end
