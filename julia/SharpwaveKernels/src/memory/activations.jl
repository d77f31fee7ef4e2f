# Activations that are gradients of convex Lagrangians, applied to one column (the units of one layer of one network).

abstract type Activation end
struct Identity <: Activation end
struct Tanh <: Activation
    gain::Float64
end
struct Softmax <: Activation
    gain::Float64
end
struct RectifiedPolynomial <: Activation
    power::Int
end
struct Relu <: Activation end

"The activation with the number that the caller uses; `value` is its gain or power."
function activation(kind::Int, value::Float64)
    kind == 0 && return Identity()
    kind == 1 && return Tanh(value)
    kind == 2 && return Softmax(value)
    kind == 3 && return RectifiedPolynomial(Int(value))
    kind == 4 && return Relu()
    throw(BadArgument("activations", "no activation has the number $kind"))
end

function activate!(::Identity, out, x, rows::UnitRange{Int}, j::Int, to::Int)
    @inbounds @simd ivdep for i in 1:length(rows)
        out[to + i, j] = x[first(rows) - 1 + i, j]
    end
end

function activate!(f::Tanh, out, x, rows::UnitRange{Int}, j::Int, to::Int)
    @inbounds for i in 1:length(rows)
        out[to + i, j] = tanh(f.gain * x[first(rows) - 1 + i, j])
    end
end

function activate!(f::Softmax, out, x, rows::UnitRange{Int}, j::Int, to::Int)
    top = -Inf
    @inbounds for i in rows
        top = max(top, x[i, j])
    end
    total = 0.0
    @inbounds for i in 1:length(rows)
        e = exp(f.gain * (x[first(rows) - 1 + i, j] - top))
        out[to + i, j] = e
        total += e
    end
    scale = 1 / total
    @inbounds @simd ivdep for i in 1:length(rows)
        out[to + i, j] *= scale
    end
end

function activate!(f::RectifiedPolynomial, out, x, rows::UnitRange{Int}, j::Int, to::Int)
    @inbounds for i in 1:length(rows)
        v = x[first(rows) - 1 + i, j]
        out[to + i, j] = v > 0 ? v^f.power : 0.0
    end
end

function activate!(::Relu, out, x, rows::UnitRange{Int}, j::Int, to::Int)
    @inbounds @simd ivdep for i in 1:length(rows)
        out[to + i, j] = max(x[first(rows) - 1 + i, j], 0.0)
    end
end
