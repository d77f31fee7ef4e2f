# Online learning of patterns and transitions: explicit Euler steps, every derivative taken at the same state.

"Constants of learning: of the network, then the time constants of patterns and transitions, the strength of the input, the step."
struct Learning{F<:Activation,H<:Activation}
    feature::F
    hidden::H
    tau_f::Float64
    tau_d::Float64
    alpha_s::Float64
    alpha_c::Float64
    beta_d::Float64
    tau_patterns::Float64
    tau_transitions::Float64
    input_strength::Float64
    dt::Float64
end

"What changes while an episode is shown, and room for one step; matrices of one column, as activations take them."
struct LearningSpace
    f::Matrix{Float64}              # N: free features
    d::Matrix{Float64}              # N: delayed features
    active::Matrix{Float64}         # N: feature activation
    drive::Vector{Float64}          # N
    overlap_d::Vector{Float64}      # hidden units
    drive_free::Matrix{Float64}
    drive_clamped::Matrix{Float64}
    free::Matrix{Float64}
    clamped::Matrix{Float64}
    error::Vector{Float64}
end
LearningSpace(N::Int, H::Int) = LearningSpace(zeros(N, 1), zeros(N, 1), zeros(N, 1), zeros(N), zeros(H), zeros(H, 1), zeros(H, 1),
                                              zeros(H, 1), zeros(H, 1), zeros(H))

"""
Show the items, a column each, for `steps` steps each, again in every epoch; `patterns` (N x hidden units) and `transitions` (to x from)
are learned in place, `surprise[epoch]` is the mean over an epoch of half the sum of |clamped - free hidden activity|.
"""
function memory_learn(control::Control, items::Matrix{Float64}, activations::Matrix{Float64}, constants::Vector{Float64},
                      steps::Int64, patterns::Matrix{Float64}, transitions::Matrix{Float64}, surprise::Vector{Float64})
    all(i -> constants[i] > 0, (1, 2, 6, 7, 9)) || throw(BadArgument("constants", "time constants and dt must be positive"))
    constants[3] >= 0 || throw(BadArgument("constants", "alpha_s must not be negative, got $(constants[3])"))
    steps > 0 || throw(BadArgument("steps", "must be positive, got $steps"))
    rules = Learning(activation(activations[1, 1], activations[2, 1]), activation(activations[1, 2], activations[2, 2]),
                     constants...)
    learn_epochs!(control, rules, items, steps, patterns, transitions, surprise)
end
@kernel memory_learn """
    items        in    f64[items, features]
    activations  in    f64[2, 2]
    constants    in    f64[9]
    steps        in    i64
    patterns     inout f64[hidden, features]
    transitions  inout f64[hidden, hidden]
    surprise     out   f64[epochs]
"""

function learn_epochs!(control::Control, rules::Learning, items, steps, patterns, transitions, surprise)
    s = LearningSpace(size(patterns)...)
    expect!(control, length(surprise) * size(items, 2))
    for epoch in eachindex(surprise)
        fill!(s.f, 0.0)             # an episode has a beginning
        fill!(s.d, 0.0)
        total = 0.0
        for item in 1:size(items, 2)
            for step in 1:steps
                step & 63 == 1 && throw_if_cancelled(control)
                total += learn_step!(s, rules, items, item, patterns, transitions)
            end
            progress!(control, (epoch - 1) * size(items, 2) + item)
        end
        surprise[epoch] = total / (steps * size(items, 2))
    end
end

function learn_step!(s::LearningSpace, r::Learning, items, item::Int, patterns, transitions)
    N, H = size(patterns)
    root = sqrt(r.alpha_s)
    activate!(r.feature, s.active, s.f, 1:N, 1, 0)
    for k in 1:H
        of = od = oi = 0.0
        @inbounds @simd for i in 1:N
            pattern = patterns[i, k]
            of = muladd(pattern, s.active[i], of)
            od = muladd(pattern, s.d[i], od)
            oi = muladd(pattern, items[i, item], oi)
        end
        s.overlap_d[k] = od
        s.drive_free[k] = root * of
        s.drive_clamped[k] = root * oi
    end
    @inbounds for from in 1:H
        strength = r.alpha_c * s.overlap_d[from]
        @simd ivdep for to in 1:H
            s.drive_free[to] = muladd(strength, transitions[to, from], s.drive_free[to])
        end
    end
    activate!(r.hidden, s.free, s.drive_free, 1:H, 1, 0)
    activate!(r.hidden, s.clamped, s.drive_clamped, 1:H, 1, 0)
    wrong = 0.0
    @inbounds for k in 1:H
        s.error[k] = s.clamped[k] - s.free[k]
        wrong += abs(s.error[k])
    end
    learn_patterns!(s, r, items, item, patterns, transitions)
    learn_transitions!(s, r, transitions)
    move_features!(s, r)
    return wrong / 2
end

"The drive of the features from the patterns as they are, and then the patterns' step, unit by unit."
function learn_patterns!(s::LearningSpace, r::Learning, items, item::Int, patterns, transitions)
    N, H = size(patterns)
    root, rate = sqrt(r.alpha_s), r.dt / r.tau_patterns
    @inbounds @simd ivdep for i in 1:N
        s.drive[i] = r.input_strength * items[i, item]
    end
    @inbounds for k in 1:H
        back = 0.0
        for to in 1:H
            back = muladd(transitions[to, k], s.error[to], back)
        end
        pull = root * s.free[k]
        of_item, of_active, of_delayed = rate * root * s.clamped[k], -rate * pull, rate * r.alpha_c * back
        @simd ivdep for i in 1:N
            pattern = patterns[i, k]
            s.drive[i] = muladd(pull, pattern, s.drive[i])
            patterns[i, k] = pattern + muladd(of_item, items[i, item], muladd(of_active, s.active[i], of_delayed * s.d[i]))
        end
    end
end

function learn_transitions!(s::LearningSpace, r::Learning, transitions)
    rate = r.dt / r.tau_transitions * r.alpha_c
    @inbounds for from in eachindex(s.error)
        strength = rate * s.overlap_d[from]
        @simd ivdep for to in eachindex(s.error)
            transitions[to, from] = muladd(strength, s.error[to], transitions[to, from])
        end
    end
end

function move_features!(s::LearningSpace, r::Learning)
    rate_f, rate_d = r.dt / r.tau_f, r.dt / r.tau_d
    @inbounds @simd ivdep for i in eachindex(s.drive)
        s.d[i] += rate_d * (r.beta_d * s.active[i] - s.d[i])
        s.f[i] += rate_f * (s.drive[i] - s.f[i])
    end
end
