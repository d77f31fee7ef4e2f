# The kernel of recall: checks what it is given, chooses the form of the network, integrates.

function couplings(constants, from, to, weight, K::Int)
    tau_f, tau_h, tau_d, alpha_s, alpha_c, beta_d = constants
    for (name, value) in (("tau_f", tau_f), ("tau_d", tau_d))
        value > 0 || throw(BadArgument(name, "must be positive, got $value"))
    end
    tau_h >= 0 || throw(BadArgument("tau_h", "must not be negative, got $tau_h"))
    alpha_s >= 0 || throw(BadArgument("alpha_s", "must not be negative, got $alpha_s"))
    for (name, ends) in (("edge_from", from), ("edge_to", to))
        all(m -> 0 <= m < K, ends) || throw(BadArgument(name, "must hold memories from 0 to $(K - 1)"))
    end
    return Couplings(tau_f, tau_h, tau_d, alpha_s, alpha_c, beta_d, from .+ 1, to .+ 1, copy(weight))
end

function recall_plan(t_eval, t_end, dt, rtol, atol::Vector{Float64}, max_steps)
    0 < t_end < Inf || throw(BadArgument("t_end", "must be positive and finite, got $t_end"))
    dt >= 0 || throw(BadArgument("dt", "must not be negative, got $dt"))
    rtol > 0 || throw(BadArgument("rtol", "must be positive, got $rtol"))
    all(a -> a > 0, atol) || throw(BadArgument("atol", "must be positive"))
    max_steps > 0 || throw(BadArgument("max_steps", "must be positive, got $max_steps"))
    issorted(t_eval) && (isempty(t_eval) || (t_eval[1] >= 0 && t_eval[end] <= t_end)) ||
        throw(BadArgument("t_eval", "must rise within [0, $t_end]"))
    return RecallPlan(copy(t_eval), t_end, dt, rtol, atol, Int(max_steps))
end

function checked_input(starts, drive)
    !isempty(starts) && starts[1] == 0 && issorted(starts) ||
        throw(BadArgument("input_starts", "must rise from 0"))
    return Input(copy(starts), copy(drive))
end

"""
Recall from a batch of initial states. With `reduced`, `matrix` is the patterns' Gram matrix, the feature activation must be the
identity, and a state is that of `ReducedNetwork`; else `matrix` holds the patterns and a state is that of `FullNetwork`.
`constants` are tau_f, tau_h, tau_d, alpha_s, alpha_c, beta_d; `activations` are (kind, gain or power) of features and hidden units;
`counts` are accepted and rejected steps and evaluations. `dt > 0` takes fixed Runge-Kutta steps, else steps adapt to `rtol`, `atol`.
"""
function memory_recall(control::Control, matrix::Matrix{Float64}, matrix_t::Matrix{Float64}, reduced::Int64,
                       activations::Matrix{Float64}, edge_from::Vector{Int64}, edge_to::Vector{Int64},
                       edge_weight::Vector{Float64}, constants::Vector{Float64}, input_starts::Vector{Float64},
                       input_drive::Matrix{Float64}, initial::Matrix{Float64}, t_eval::Vector{Float64}, t_end::Float64,
                       dt::Float64, rtol::Float64, atol::Float64, max_steps::Int64, states::Array{Float64,3},
                       reached::Vector{Float64}, counts::Matrix{Int64})
    K = size(matrix, 2)
    c = couplings(constants, edge_from, edge_to, edge_weight, K)
    feature = activation(activations[1, 1], activations[2, 1])
    hidden = activation(activations[1, 2], activations[2, 2])
    input = checked_input(input_starts, input_drive)
    if reduced != 0
        feature isa Identity || throw(BadArgument("activations", "the reduced form needs the identity for features"))
        size(matrix, 1) == K || throw(BadArgument("matrix", "the reduced form needs a square Gram matrix"))
        network = ReducedNetwork(c, hidden, matrix, input)
    else
        network = FullNetwork(c, feature, hidden, matrix, matrix_t, input)
    end
    size(initial, 1) == rows(network) ||
        throw(BadArgument("initial", "a state has $(rows(network)) rows, got $(size(initial, 1))"))
    plan = recall_plan(t_eval, t_end, dt, rtol, tolerances(network, atol), max_steps)
    integrate!(RecallOutput(states, reached, counts), network, initial, plan, control)
end

tolerances(network::FullNetwork, atol::Float64) = fill(atol, rows(network))

"Overlaps are as large as the patterns' squared norms; coefficients are of order one."
function tolerances(network::ReducedNetwork, atol::Float64)
    K = memories(network)
    largest = max(maximum(k -> network.gram[k, k], 1:K), floatmin())
    return Float64[atol * (i <= 2K || i > 4K ? largest : 1.0) for i in 1:rows(network)]
end

@kernel memory_recall """
    matrix        in  f64[memories, width]
    matrix_t      in  f64[width, memories]
    reduced       in  i64
    activations   in  f64[2, 2]
    edge_from     in  i64[edges]
    edge_to       in  i64[edges]
    edge_weight   in  f64[edges]
    constants     in  f64[6]
    input_starts  in  f64[pieces]
    input_drive   in  f64[pieces, width]
    initial       in  f64[batch, rows]
    t_eval        in  f64[times]
    t_end         in  f64
    dt            in  f64
    rtol          in  f64
    atol          in  f64
    max_steps     in  i64
    states        out f64[batch, times, rows]
    reached       out f64[batch]
    counts        out i64[batch, 3]
"""
