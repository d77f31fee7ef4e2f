# The vector field of sequential episodic memory, for many cues at once: a column is one network's state.

"Time constants (any one unit), couplings and transitions: what both forms of the network share."
struct Couplings
    tau_f::Float64
    tau_h::Float64              # 0: the hidden layer is at its equilibrium
    tau_d::Float64
    alpha_s::Float64
    alpha_c::Float64
    beta_d::Float64
    from::Vector{Int}           # transition e leads from[e] -> to[e] with weight[e]
    to::Vector{Int}
    weight::Vector{Float64}
end

"Feature input that is constant by pieces: piece `s` acts from `starts[s]` on; column `s` of `drive` is what it adds."
struct Input
    starts::Vector{Float64}
    drive::Matrix{Float64}
end

"""
The full form. Rows of a state: features `V_f` (N), delayed features `V_d` (N), then hidden `V_h` (K) where `tau_h > 0`.
"""
struct FullNetwork{F<:Activation,H<:Activation}
    couplings::Couplings
    feature::F
    hidden::H
    patterns::Matrix{Float64}       # N x K
    patterns_t::Matrix{Float64}     # K x N
    input::Input                    # N rows
end

"""
The form in overlap space, exact where the feature activation is the identity: the drive of the features lies in the span of the
patterns Xi. Rows of a state: overlaps `m_f = Xi' V_f`, `m_d = Xi' V_d`, coefficients `c_f`, `c_d` (K each) of the parts of `V_f`
and `V_d` in the span that the hidden layer drove, then hidden `V_h` (K) where `tau_h > 0`.
"""
struct ReducedNetwork{H<:Activation}
    couplings::Couplings
    hidden::H
    gram::Matrix{Float64}           # K x K
    input::Input                    # K rows: Xi' u
end

memories(n::FullNetwork) = size(n.patterns, 2)
memories(n::ReducedNetwork) = size(n.gram, 1)
features(n::FullNetwork) = size(n.patterns, 1)
hidden_rows(n) = n.couplings.tau_h > 0 ? memories(n) : 0
rows(n::FullNetwork) = 2 * features(n) + hidden_rows(n)
rows(n::ReducedNetwork) = 4 * memories(n) + hidden_rows(n)
product_size(n::FullNetwork) = length(n.patterns)
product_size(n::ReducedNetwork) = length(n.gram)

"Room for one evaluation of the field on up to `columns` states."
struct FieldSpace
    hidden::Matrix{Float64}         # K x columns: what drives the hidden layer
    active::Matrix{Float64}         # K x columns: hidden activation
    product::Matrix{Float64}        # K (reduced) or N (full) x columns: Xi or the Gram matrix times the hidden activation
    feature::Matrix{Float64}        # N x columns, full form: feature activation
    source::Matrix{Float64}         # N x columns, full form: sqrt(alpha_s) feature activation
    overlap_d::Matrix{Float64}      # K x columns, full form: Xi' V_d
end

function FieldSpace(n::FullNetwork, columns::Int)
    K, N = memories(n), features(n)
    FieldSpace(zeros(K, columns), zeros(K, columns), zeros(N, columns), zeros(N, columns), zeros(N, columns),
               zeros(K, columns))
end
function FieldSpace(n::ReducedNetwork, columns::Int)
    K = memories(n)
    none = zeros(0, columns)
    FieldSpace(zeros(K, columns), zeros(K, columns), zeros(K, columns), none, none, none)
end

"hidden[to] += alpha_c * weight * overlap_d[from] for every transition, in one column."
@inline function add_transitions!(hidden, c::Couplings, overlap_d, offset::Int, j::Int)
    @inbounds for e in eachindex(c.from)
        hidden[c.to[e], j] += c.alpha_c * c.weight[e] * overlap_d[offset + c.from[e], j]
    end
end

"""
Hidden activation of one column from its drive: at equilibrium the drive itself is `V_h`; else the state holds `V_h` from row
`start + 1` on, and its derivative is written.
"""
@inline function hidden_layer!(dy, y, s::FieldSpace, c::Couplings, f::Activation, start::Int, K::Int, j::Int)
    if c.tau_h > 0
        rate = 1 / c.tau_h
        @inbounds @simd ivdep for i in 1:K
            dy[start + i, j] = (s.hidden[i, j] - y[start + i, j]) * rate
        end
        activate!(f, s.active, y, start+1:start+K, j, 0)
    else
        activate!(f, s.active, s.hidden, 1:K, j, 0)
    end
end

"""
    field!(dy, y, network, space, pieces, columns, threaded)

The time derivative of the first `columns` states; `pieces[j]` is the piece of the input that acts on column `j`. All layers are
advanced from the same state: none sees another's new value.
"""
function field!(dy::Matrix{Float64}, y::Matrix{Float64}, n::ReducedNetwork, s::FieldSpace, pieces::Vector{Int}, columns::Int,
                threaded::Bool)
    c, K = n.couplings, memories(n)
    root = sqrt(c.alpha_s)
    for j in 1:columns
        @inbounds @simd ivdep for i in 1:K
            s.hidden[i, j] = root * y[i, j]
        end
        add_transitions!(s.hidden, c, y, K, j)
        hidden_layer!(dy, y, s, c, n.hidden, 4K, K, j)
    end
    multiply!(s.product, n.gram, s.active, columns, threaded)
    rate_f, rate_d = 1 / c.tau_f, 1 / c.tau_d
    for j in 1:columns
        piece = pieces[j]
        @inbounds @simd ivdep for i in 1:K
            dy[i, j] = (root * s.product[i, j] - y[i, j] + n.input.drive[i, piece]) * rate_f
            dy[K + i, j] = (c.beta_d * y[i, j] - y[K + i, j]) * rate_d
            dy[2K + i, j] = (root * s.active[i, j] - y[2K + i, j]) * rate_f
            dy[3K + i, j] = (c.beta_d * y[2K + i, j] - y[3K + i, j]) * rate_d
        end
    end
    return nothing
end

function field!(dy::Matrix{Float64}, y::Matrix{Float64}, n::FullNetwork, s::FieldSpace, pieces::Vector{Int}, columns::Int,
                threaded::Bool)
    c, K, N = n.couplings, memories(n), features(n)
    root = sqrt(c.alpha_s)
    for j in 1:columns
        activate!(n.feature, s.feature, y, 1:N, j, 0)
        @inbounds @simd ivdep for i in 1:N
            s.source[i, j] = root * s.feature[i, j]
        end
    end
    multiply!(s.hidden, n.patterns_t, s.source, columns, threaded)
    if c.alpha_c != 0 && !isempty(c.from)
        multiply!(s.overlap_d, n.patterns_t, view(y, N+1:2N, :), columns, threaded)
    end
    for j in 1:columns
        c.alpha_c != 0 && add_transitions!(s.hidden, c, s.overlap_d, 0, j)
        hidden_layer!(dy, y, s, c, n.hidden, 2N, K, j)
    end
    multiply!(s.product, n.patterns, s.active, columns, threaded)
    rate_f, rate_d = 1 / c.tau_f, 1 / c.tau_d
    for j in 1:columns
        piece = pieces[j]
        @inbounds @simd ivdep for i in 1:N
            dy[i, j] = (root * s.product[i, j] - y[i, j] + n.input.drive[i, piece]) * rate_f
            dy[N + i, j] = (c.beta_d * s.feature[i, j] - y[N + i, j]) * rate_d
        end
    end
    return nothing
end
