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
function activation(kind::Float64, value::Float64)
    kind in (1, 2) && !(value > 0) && throw(BadArgument("activations", "a gain must be positive, got $value"))
    kind == 3 && !(value in 1:64) && throw(BadArgument("activations", "a power must be an integer from 1 to 64, got $value"))
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
    top, base = -Inf, first(rows) - 1
    @inbounds @simd for i in rows
        top = ifelse(x[i, j] > top, x[i, j], top)
    end
    total = 0.0
    @inbounds @simd for i in 1:length(rows)
        e = exp_negative(f.gain * (x[base + i, j] - top))
        out[to + i, j] = e
        total += e
    end
    scale = 1 / total
    @inbounds @simd ivdep for i in 1:length(rows)
        out[to + i, j] *= scale
    end
end

const LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10    # log(2) in two parts (Cody and Waite)
const ROUNDING = 1.5 * 2.0^52       # adding it rounds to an integer, which is then in the low bits
const TAYLOR = ntuple(k -> 1 / factorial(14 - k), 14)   # 1/13!, ..., 1/1!, 1/0!

"""
exp of a number that is not positive, without branches, so that loops over it use vector instructions (Base's takes ten times as long).
Within two units in the last place of exp; 0 below -708.
"""
@inline function exp_negative(x::Float64)
    shifted = muladd(max_number(x, -708.0), 1.4426950408889634, ROUNDING)
    n = shifted - ROUNDING
    r = muladd(-n, LN2_LOW, muladd(-n, LN2_HIGH, max_number(x, -708.0)))
    power = reinterpret(Float64, (reinterpret(Int64, shifted) + 1023) << 52)
    return ifelse(x < -708.0, 0.0, evalpoly_down(r, TAYLOR) * power)
end

@inline max_number(x::Float64, least::Float64) = ifelse(x < least, least, x)
@inline evalpoly_down(r, c::NTuple{14,Float64}) = foldl_muladd(r, c[1], Base.tail(c))
@inline foldl_muladd(r, value, ::Tuple{}) = value
@inline foldl_muladd(r, value, c::Tuple) = foldl_muladd(r, muladd(value, r, c[1]), Base.tail(c))

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
