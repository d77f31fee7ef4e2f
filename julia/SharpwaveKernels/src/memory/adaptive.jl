# Adaptive steps for many networks side by side: Tsit5, each column with its own time and step size.

"""
Integrate the networks `members` until each has reached the end. A column that has ended is replaced by the last active one, so
that products stay dense.
"""
function adaptive_steps!(out::RecallOutput, network, initial, members, plan::RecallPlan, control, report, threaded)
    active = length(members)
    s = ColumnSpace(network, active, 7)
    load!(s, initial, members)
    evaluations = fill(1, active)
    set_pieces!(s, network.input, 0.0, active)
    field!(s.slopes[1], s.y, network, s.field, s.piece, active, threaded)
    for j in 1:active
        emit_start!(out, s, j, plan)
        s.h[j] = min(first_step(s, j, plan), plan.t_end)
    end
    finished, rejections, round = 0, zeros(Int, active), 0
    while active > 0
        cancelled(control) && return nothing
        stages!(s, network, plan, active, threaded)
        for j in 1:active
            evaluations[j] += 6
            rejections[j] += !judge!(out, s, network, j, plan)
        end
        for j in active:-1:1        # backwards, so that the column that moves has been looked at
            ended = s.t[j] >= plan.t_end || s.steps[j] + rejections[j] >= plan.max_steps || !(s.h[j] > 0)
            ended || continue
            finish!(out, s, j, s.t[j], s.steps[j], rejections[j], evaluations[j])
            move_column!(s, active, j)
            evaluations[j], rejections[j] = evaluations[active], rejections[active]
            active -= 1
            finished += 1
        end
        round += 1
        round % 32 == 0 && report((finished + sum(view(s.t, 1:active)) / plan.t_end) / length(members))
    end
    report(1.0)
    return nothing
end

"Outputs wanted at time 0 are the initial state."
function emit_start!(out::RecallOutput, s::ColumnSpace, j::Int, plan::RecallPlan)
    b = s.owner[j]
    while s.next[j] <= length(plan.t_eval) && plan.t_eval[s.next[j]] <= 0
        @inbounds @simd ivdep for i in 1:size(s.y, 1)
            out.states[i, s.next[j], b] = s.y[i, j]
        end
        s.next[j] += 1
    end
end

"A first step from the size of the state and of its slope (Hairer, Norsett, Wanner II.4, first guess, a tenth of it for safety)."
function first_step(s::ColumnSpace, j::Int, plan::RecallPlan)
    size_y = size_slope = 0.0
    @inbounds for i in 1:size(s.y, 1)
        scale = plan.atol[i] + plan.rtol * abs(s.y[i, j])
        size_y += abs2(s.y[i, j] / scale)
        size_slope += abs2(s.slopes[1][i, j] / scale)
    end
    return size_slope > 0 && size_y > 0 ? 0.01 * sqrt(size_y / size_slope) : 1e-3 * plan.t_end
end

"The six further slopes of every active column, each with its own step; `trial` becomes the fifth-order result."
function stages!(s::ColumnSpace, network, plan::RecallPlan, active::Int, threaded)
    for j in 1:active
        # a step ends where the input changes, and at the end
        limit = min(piece_end(network.input, s.piece[j]), plan.t_end) - s.t[j]
        s.h[j] >= 0.999 * limit && (s.h[j] = limit)
    end
    k = s.slopes
    slopes = (k[1], k[2], k[3], k[4], k[5], k[6], k[7])
    next_stage!(s, network, active, threaded, TSIT5_STAGES, (slopes[1],), Base.tail(slopes))
    return nothing
end

# One stage after another, unrolled by the compiler: `found` are the slopes so far, `room` takes the others.
next_stage!(s, network, active, threaded, ::Tuple{}, found, ::Tuple{}) = nothing
function next_stage!(s, network, active, threaded, stages, found, room)
    combine!(s, active, stages[1], found)
    field!(room[1], s.trial, network, s.field, s.piece, active, threaded)
    next_stage!(s, network, active, threaded, Base.tail(stages), (found..., room[1]), Base.tail(room))
end

"trial = y + h * (a weighted sum of slopes), column by column."
function combine!(s::ColumnSpace, active::Int, weights::NTuple{M,Float64}, slopes::NTuple{M,Matrix{Float64}}) where {M}
    for j in 1:active
        h = s.h[j]
        @inbounds @simd ivdep for i in 1:size(s.y, 1)
            s.trial[i, j] = muladd(h, weighted(weights, slopes, i, j), s.y[i, j])
        end
    end
end

@inline weighted(w::NTuple{1}, k, i, j) = @inbounds w[1] * k[1][i, j]
@inline weighted(w::NTuple{M}, k, i, j) where {M} =
    @inbounds muladd(w[M], k[M][i, j], weighted(Base.front(w), Base.front(k), i, j))

"Accept or reject the step of column `j`, write the outputs that it passed, and choose the next step size."
function judge!(out::RecallOutput, s::ColumnSpace, network, j::Int, plan::RecallPlan)
    h = s.h[j]
    error = error_norm(s, j, plan)
    if !(error <= 1)
        s.h[j] = h * (isfinite(error) ? max(0.2, 0.9 * error^(-0.2)) : 0.2)
        s.t[j] + s.h[j] == s.t[j] && (s.h[j] = 0.0)       # no step is left: the caller ends the column
        s.rejected[j] = true
        return false
    end
    t_new = min(plan.t_end, s.t[j] + h)
    limit = piece_end(network.input, s.piece[j])
    t_new >= limit - 1e-14 * abs(limit) && (t_new = limit)
    while s.next[j] <= length(plan.t_eval) && plan.t_eval[s.next[j]] <= t_new
        interpolate!(out, s, j, min(1.0, (plan.t_eval[s.next[j]] - s.t[j]) / h))
        s.next[j] += 1
    end
    @inbounds @simd ivdep for i in 1:size(s.y, 1)
        s.y[i, j] = s.trial[i, j]
        s.slopes[1][i, j] = s.slopes[7][i, j]
    end
    s.t[j] = t_new
    s.steps[j] += 1
    if t_new >= limit && t_new < plan.t_end
        switch_input!(s, network, j)
    end
    # proportional-integral control (Gustafsson), with the exponents that suit an order of five
    error = max(error, 1e-10)
    factor = 0.9 * error^(-0.7 / 5) * s.last_error[j]^(0.4 / 5)
    factor = clamp(factor, 0.2, s.rejected[j] ? 1.0 : 10.0)
    s.rejected[j] = false
    s.last_error[j] = error
    s.h[j] = h * factor
    return true
end

"The input of column `j` changes: its slope changes by the difference of the drives, over the features' time constant."
function switch_input!(s::ColumnSpace, network, j::Int)
    drive, rate = network.input.drive, 1 / network.couplings.tau_f
    old, new = s.piece[j], piece_at(network.input, s.t[j])
    @inbounds @simd ivdep for i in 1:size(drive, 1)
        s.slopes[1][i, j] += (drive[i, new] - drive[i, old]) * rate
    end
    s.piece[j] = new
    return nothing
end

function error_norm(s::ColumnSpace, j::Int, plan::RecallPlan)
    n = size(s.y, 1)
    k = s.slopes
    slopes = (k[1], k[2], k[3], k[4], k[5], k[6], k[7])
    total = 0.0
    @inbounds @simd for i in 1:n
        scale = plan.atol[i] + plan.rtol * max(abs(s.y[i, j]), abs(s.trial[i, j]))
        total += abs2(s.h[j] * weighted(TSIT5_ERROR, slopes, i, j) / scale)
    end
    return sqrt(total / n)
end

function interpolate!(out::RecallOutput, s::ColumnSpace, j::Int, theta::Float64)
    b, m = s.owner[j], s.next[j]
    x = theta
    weights = map((a, b, c, d) -> x * (a + x * (b + x * (c + x * d))), TSIT5_DENSE...)
    k = s.slopes
    slopes = (k[1], k[2], k[3], k[4], k[5], k[6], k[7])
    h = s.h[j]
    @inbounds @simd ivdep for i in 1:size(s.y, 1)
        out.states[i, m, b] = muladd(h, weighted(weights, slopes, i, j), s.y[i, j])
    end
end

"Move the state of column `from` into column `to`."
function move_column!(s::ColumnSpace, from::Int, to::Int)
    from == to && return nothing
    @inbounds @simd ivdep for i in 1:size(s.y, 1)
        s.y[i, to] = s.y[i, from]
        s.slopes[1][i, to] = s.slopes[1][i, from]
    end
    for v in (s.t, s.h, s.last_error)
        v[to] = v[from]
    end
    for v in (s.piece, s.next, s.steps, s.owner)
        v[to] = v[from]
    end
    s.rejected[to] = s.rejected[from]
    return nothing
end
