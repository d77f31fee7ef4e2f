# What is asked for, and the state of one integration.

"""
What every trajectory of a batch is asked for. Times run from `t0` to `t1`, in either direction; step sizes are
magnitudes. `dt > 0` takes steps of that size; else steps adapt to `rtol` and `atol`, the first one `first_step` if that
is positive. An event of direction +1 or -1 counts only where its function rises or falls; its `terminal[j]`-th occurrence
ends the trajectory if that is positive. `save` is 0 for nothing but `t_eval`, 1 for the state after each step, 2 for
dense output too.
"""
struct Plan
    t0::Float64
    t1::Float64
    t_eval::Vector{Float64}
    rtol::Float64
    atol::Vector{Float64}
    first_step::Float64
    max_step::Float64
    dt::Float64
    max_steps::Int
    direction::Vector{Int}
    terminal::Vector{Int}
    save::Int
end

# Why a trajectory ended; the caller knows these numbers.
const REACHED_END = 0
const STOPPED_BY_EVENT = 1
const STEP_LIMIT = -1           # more than max_steps steps, taken or tried
const STEP_TOO_SMALL = -2       # the error cannot be met with a step that still moves the time
const NOT_FINITE = -3           # the derivative at the start is not finite, or a fixed step led to what is not
const ARGUMENT_AHEAD = -4       # a delayed value was asked for at a time later than the present
const RUNNING = 2

"Steps that are kept: for the caller, or because delays look back at them."
struct Record
    t::Vector{Float64}              # each step's start, then the end of the last
    y::Vector{Float64}              # the state at these times, if asked for
    coefficients::Vector{Float64}   # each step's polynomial
end
Record() = Record(Float64[], Float64[], Float64[])

function clear!(r::Record)
    empty!(r.t)
    empty!(r.y)
    empty!(r.coefficients)
end

"Events of one trajectory in order of time."
struct EventLog
    t::Vector{Float64}
    index::Vector{Int}
    y::Vector{Float64}
end
EventLog() = EventLog(Float64[], Int[], Float64[])

"Delayed values at work; see delays.jl and breakpoints.jl."
mutable struct Delays
    arguments::Vector{Float64}      # a_j(t)
    past::Vector{Float64}           # the history's state at one time
    before::Vector{Bool}            # a_j in this step: before the start?
    cursor::Vector{Int}             # the kept step that a_j was found in last
    overlap::Bool                   # a value inside the present step was asked for
    ahead::Bool                     # one later than the present was
    lag::Vector{Float64}            # t - a_j where that is constant
    passed::Vector{Int}             # for other delays: how many of `points` a_j has passed
    points::Vector{Float64}         # breakpoints that are behind, and their levels
    levels::Vector{Int}
    pending::Vector{Float64}        # breakpoints to come, sorted, and their levels
    pending_levels::Vector{Int}
    previous::Vector{Float64}       # the iterate before, while a step that overlaps its delay is iterated
end
Delays(s::System) = (d = length(s.delay_constant);
    Delays(zeros(d), zeros(s.n), fill(false, d), ones(Int, d), false, false, zeros(d), zeros(Int, d), Float64[], Int[], Float64[],
           Int[], zeros(s.n)))

"""
The state of one integration: at time `t` with state `u`, trying a step `h`.
"""
mutable struct Trajectory
    n::Int
    order::Int                      # of the method
    direction::Float64              # +1.0 or -1.0
    t0::Float64
    t::Float64
    h::Float64                      # signed
    u::Vector{Float64}
    u_new::Vector{Float64}
    slope::Vector{Float64}          # the derivative at t, if `has_slope`
    slope_new::Vector{Float64}
    has_slope::Bool
    error::Vector{Float64}          # the estimated error of u_new
    point::Vector{Float64}          # where a stage evaluates the derivative
    p::Vector{Float64}
    lags::Vector{Float64}
    coefficients::Matrix{Float64}   # of the polynomial from piece_t on, of length piece_h
    piece_t::Float64
    piece_h::Float64
    delays::Delays
    record::Record
    # events: values at the start of a stretch and at its end, what was found in this step, how often each occurred
    g::Vector{Float64}
    g_new::Vector{Float64}
    found_theta::Vector{Float64}
    found_index::Vector{Int}
    occurrences::Vector{Int}
    # statistics
    accepted::Int
    rejected::Int
    evaluations::Int
    jacobians::Int
    factorizations::Int
end

function Trajectory(s::System, order::Int, degree::Int)
    n, v, e = s.n, () -> zeros(s.n), s.nevents
    Trajectory(n, order, 1.0, 0.0, 0.0, 0.0, v(), v(), v(), v(), false, v(), v(), zeros(s.nparams), zeros(length(s.lag_variables)),
                  zeros(n, degree + 1), 0.0, 1.0, Delays(s), Record(), zeros(e), zeros(e), Float64[], Int[], zeros(Int, e),
                  0, 0, 0, 0, 0)
end

"A way to step. `N` is the number of equations, or 0 where that is not worth compiling for."
abstract type SteppingMethod{N} end

@inline dim(::SteppingMethod{N}, x::Trajectory) where {N} = N == 0 ? x.n : N

"The derivative of the system at (t, u), with its delayed values."
@inline function derivative!(du, x::Trajectory, s::System, u, t)
    x.evaluations += 1
    delayed_values!(x, s, t)
    s.rhs!(du, u, x.p, t, x.lags)
    return nothing
end

# weights[1] * K[i, 1] + weights[2] * K[i, 2] + ..., unrolled.
@inline stage_sum(weights::Tuple{Float64}, K, i, j) = @inbounds weights[1] * K[i, j]
@inline stage_sum(weights::Tuple, K, i, j) =
    @inbounds muladd(weights[1], K[i, j], stage_sum(Base.tail(weights), K, i, j + 1))

"out = u + h * sum_j weights[j] K[:, j]"
@inline function stage_point!(out, u, h, weights::Tuple, K, n)
    @inbounds @simd ivdep for i in 1:n
        out[i] = muladd(h, stage_sum(weights, K, i, 1), u[i])
    end
end

@inline function store_stage!(K, j, du, n)
    @inbounds @simd ivdep for i in 1:n
        K[i, j] = du[i]
    end
end
