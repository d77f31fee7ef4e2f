# Integration of many networks side by side: products are shared, times and step sizes are each network's own.

const MOST_COLUMNS = 32     # of one task: enough to use a product's panels again, few enough to share the work out

"What a recall asks for."
struct RecallPlan
    t_eval::Vector{Float64}     # rising, within [0, t_end]
    t_end::Float64
    dt::Float64                 # fixed step, or 0: adaptive
    rtol::Float64
    atol::Vector{Float64}       # one a row of the state
    max_steps::Int
end

"Everything that a task needs for `columns` networks, made once."
struct ColumnSpace
    y::Matrix{Float64}
    trial::Matrix{Float64}
    slopes::Vector{Matrix{Float64}}
    field::FieldSpace
    t::Vector{Float64}
    h::Vector{Float64}
    last_error::Vector{Float64}
    rejected::Vector{Bool}
    piece::Vector{Int}
    next::Vector{Int}           # the next output time
    steps::Vector{Int}
    owner::Vector{Int}          # which network of the batch the column holds
end

function ColumnSpace(network, columns::Int, slopes::Int)
    n = rows(network)
    ColumnSpace(zeros(n, columns), zeros(n, columns), [zeros(n, columns) for _ in 1:slopes], FieldSpace(network, columns),
                zeros(columns), zeros(columns), ones(columns), fill(false, columns), ones(Int, columns), ones(Int, columns),
                zeros(Int, columns), zeros(Int, columns))
end

"The results of a batch, in the caller's memory."
struct RecallOutput
    states::Array{Float64,3}    # rows x times x batch
    reached::Vector{Float64}    # the time each network reached: less than t_end where the step limit was hit
    counts::Matrix{Int64}       # 3 x batch: accepted, rejected, evaluations of the field
end

"""
    integrate!(output, network, initial, plan, control)

Integrate every column of `initial`, in tasks of a few columns each. The numbers do not depend on the number of threads, nor on
what else is in the batch.
"""
function integrate!(output::RecallOutput, network, initial::Matrix{Float64}, plan::RecallPlan, control::Control)
    batch = size(initial, 2)
    share = clamp(cld(batch, Threads.nthreads()), 1, MOST_COLUMNS)
    # a lone task splits the rows of its large products instead
    threaded = batch <= share && product_size(network) >= 200_000
    groups = [first:min(first + share - 1, batch) for first in 1:share:batch]
    done = zeros(length(groups))
    expect!(control, 1000)
    parallel(length(groups)) do g
        report = function (fraction)
            done[g] = fraction * length(groups[g])
            progress!(control, floor(Int, 1000 * sum(done) / batch))
        end
        advance = plan.dt > 0 ? fixed_steps! : adaptive_steps!
        advance(output, network, initial, groups[g], plan, control, report, threaded)
    end
    throw_if_cancelled(control)
    return nothing
end

"Run `work(1)`, ..., `work(n)` as tasks; on the calling task where there is one only."
function parallel(work::F, n::Int) where {F}
    n == 1 && return work(1)
    @sync for i in 1:n
        Threads.@spawn work(i)
    end
    return nothing
end

"Fill the first columns of a task's space with the networks `members` of the batch."
function load!(s::ColumnSpace, initial, members)
    for (j, b) in enumerate(members)
        @inbounds for i in 1:size(s.y, 1)
            s.y[i, j] = initial[i, b]
        end
        s.owner[j] = b
    end
end

"The piece of the input that acts at time `t`, and from then on; `t` itself belongs to the later piece."
function piece_at(input::Input, t::Float64)
    p = 1
    while p < length(input.starts) && input.starts[p + 1] <= t
        p += 1
    end
    return p
end

piece_end(input::Input, piece::Int) = piece < length(input.starts) ? input.starts[piece + 1] : Inf

# ---- fixed steps: the classical fourth-order Runge-Kutta method, the same step for all ----

function fixed_steps!(out::RecallOutput, network, initial, members, plan::RecallPlan, control, report, threaded)
    columns = length(members)
    s = ColumnSpace(network, columns, 5)
    load!(s, initial, members)
    slopes = s.slopes
    t, step = 0.0, 0
    steps = max(1, ceil(Int, plan.t_end / plan.dt - 1e-9))
    evaluations = 0
    field!(slopes[1], s.y, network, s.field, set_pieces!(s, network.input, t, columns), columns, threaded)
    while step < min(steps, plan.max_steps)
        step % 16 == 0 && cancelled(control) && return nothing
        h = step == steps - 1 ? plan.t_end - t : plan.dt
        runge_kutta4!(s, network, h, columns, threaded)
        step += 1
        t_new = step == steps ? plan.t_end : step * plan.dt
        # at the end of the step: the next step's first slope, and this step's last for the Hermite polynomial
        field!(slopes[5], s.trial, network, s.field, s.piece, columns, threaded)
        for j in 1:columns
            while s.next[j] <= length(plan.t_eval) && plan.t_eval[s.next[j]] <= t_new
                hermite!(out, s, j, (plan.t_eval[s.next[j]] - t) / h, h)
                s.next[j] += 1
            end
        end
        evaluations += 4
        copy_columns!(s.y, s.trial, columns)
        t = t_new
        before = s.piece[1]
        set_pieces!(s, network.input, t, columns)
        if s.piece[1] == before
            copy_columns!(slopes[1], slopes[5], columns)
        else
            field!(slopes[1], s.y, network, s.field, s.piece, columns, threaded)
            evaluations += 1
        end
        step % 64 == 0 && report(t / plan.t_end)
    end
    for j in 1:columns
        finish!(out, s, j, t, step, 0, evaluations)
    end
    report(1.0)
    return nothing
end

function set_pieces!(s::ColumnSpace, input::Input, t::Float64, columns::Int)
    piece = piece_at(input, t)
    for j in 1:columns
        s.piece[j] = piece
    end
    return s.piece
end

function copy_columns!(to, from, columns::Int)
    @inbounds @simd ivdep for i in 1:size(to, 1)*columns
        to[i] = from[i]
    end
end

"One step of all columns from `y` to `trial`; the first slope is there."
function runge_kutta4!(s::ColumnSpace, network, h::Float64, columns::Int, threaded)
    n = size(s.y, 1) * columns
    y, trial = s.y, s.trial
    k1, k2, k3, k4 = s.slopes[1], s.slopes[2], s.slopes[3], s.slopes[4]
    @inbounds @simd ivdep for i in 1:n
        trial[i] = y[i] + h / 2 * k1[i]
    end
    field!(k2, trial, network, s.field, s.piece, columns, threaded)
    @inbounds @simd ivdep for i in 1:n
        trial[i] = y[i] + h / 2 * k2[i]
    end
    field!(k3, trial, network, s.field, s.piece, columns, threaded)
    @inbounds @simd ivdep for i in 1:n
        trial[i] = y[i] + h * k3[i]
    end
    field!(k4, trial, network, s.field, s.piece, columns, threaded)
    @inbounds @simd ivdep for i in 1:n
        trial[i] = y[i] + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i])
    end
    return nothing
end

"Write column `j` at the fraction `theta` of the step from `y` to `trial`: the cubic with the slopes of both ends."
function hermite!(out::RecallOutput, s::ColumnSpace, j::Int, theta::Float64, h::Float64)
    b, m = s.owner[j], s.next[j]
    if theta >= 1
        @inbounds @simd ivdep for i in 1:size(s.y, 1)
            out.states[i, m, b] = s.trial[i, j]
        end
        return nothing
    end
    w0, w1 = (1 + 2theta) * (1 - theta)^2, theta^2 * (3 - 2theta)
    d0, d1 = h * theta * (1 - theta)^2, h * theta^2 * (theta - 1)
    k1, k5 = s.slopes[1], s.slopes[5]
    @inbounds @simd ivdep for i in 1:size(s.y, 1)
        out.states[i, m, b] = w0 * s.y[i, j] + w1 * s.trial[i, j] + d0 * k1[i, j] + d1 * k5[i, j]
    end
    return nothing
end

function finish!(out::RecallOutput, s::ColumnSpace, j::Int, t::Float64, accepted::Int, rejected::Int, evaluations::Int)
    b = s.owner[j]
    out.reached[b] = t
    out.counts[1, b], out.counts[2, b], out.counts[3, b] = accepted, rejected, evaluations
    return nothing
end
