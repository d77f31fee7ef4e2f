# Many trajectories of one system over Julia's threads.

const METHODS = Dict{Int,Any}(1 => Rodas5P, 2 => Tsit5, 3 => RungeKutta4, 4 => ExponentialEuler)

# Up to this many equations the solver is compiled for their number.
const LARGEST_COMPILED = 16

"What a batch leaves; the lists of a trajectory are empty where nothing was asked for."
struct BatchResult
    y::Array{Float64,3}             # (variable, time, trajectory)
    status::Vector{Int64}
    statistics::Matrix{Int64}       # accepted, rejected, evaluations, jacobians, factorizations; a column a trajectory
    t_end::Vector{Float64}
    y_end::Matrix{Float64}
    records::Vector{Record}
    events::Vector{EventLog}
end

"Room for the results of a batch; the states at `plan.t_eval` go to `y`."
function BatchResult(s::System, plan::Plan, y::Array{Float64,3})
    batch = size(y, 3)
    BatchResult(fill!(y, NaN), zeros(Int64, batch), zeros(Int64, 5, batch), zeros(batch), zeros(s.n, batch),
                [Record() for _ in 1:(plan.save > 0 ? batch : 0)],
                [EventLog() for _ in 1:(s.nevents > 0 ? batch : 0)])
end

"""
    integrate_batch!(result, system, method, plan, y0, parameters, control)

Integrate each column of `y0` with the same column of `parameters`. The numbers do not depend on the number of threads.
`method` is one of `Rodas5P`, `Tsit5`, `RungeKutta4`, `ExponentialEuler`.
"""
function integrate_batch!(result::BatchResult, s::System, method, plan::Plan, y0, parameters, control::Control)
    N = s.n <= LARGEST_COMPILED ? s.n : 0
    batch = size(y0, 2)
    expect!(control, 1000 * batch)
    next, done = Threads.Atomic{Int}(1), Threads.Atomic{Int}(0)
    workers = min(Threads.nthreads(), batch)
    if workers <= 1
        work_through!(result, s, method{N}, plan, y0, parameters, control, next, done)
    else
        @sync for _ in 1:workers
            Threads.@spawn work_through!(result, s, method{N}, plan, y0, parameters, control, next, done)
        end
    end
    throw_if_cancelled(control)
    return result
end

"Take one trajectory after the other until there are no more."
function work_through!(result::BatchResult, s::System, @nospecialize(method), plan::Plan, y0, parameters, control::Control,
                       next, done)
    m = method(s.n)
    x = Trajectory(s, order(m)::Int, degree(m)::Int)
    scratch, no_events = Record(), EventLog()
    while !cancelled(control)
        b = Threads.atomic_add!(next, 1)
        b > size(y0, 2) && break
        out = Outcome(result.y, b, isempty(result.records) ? scratch : result.records[b],
                      isempty(result.events) ? no_events : result.events[b], done)
        # the one call that is looked up at run time: all else here is compiled once for all methods
        result.status[b] = integrate_trajectory!(out, x, m, s, plan, y0, parameters, b, control)::Int
        result.t_end[b] = x.t
        for i in 1:s.n
            result.y_end[i, b] = x.u[i]
        end
        counts = (x.accepted, x.rejected, x.evaluations, x.jacobians, x.factorizations)
        for k in 1:5
            result.statistics[k, b] = counts[k]
        end
    end
    return nothing
end
