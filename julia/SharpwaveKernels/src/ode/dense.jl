# Dense output: u(t + theta h) = sum_k coefficients[:, k + 1] theta^k, theta in [0, 1], for every method.

"Set the polynomial of the step just tried."
@inline function fit_step!(x::Trajectory, m)
    interpolant!(x, m)
    x.piece_t, x.piece_h = x.t, x.h
    return nothing
end

"The state at theta of the polynomial."
function interpolate!(out, x::Trajectory, theta::Float64)
    degree = size(x.coefficients, 2) - 1
    @inbounds @simd ivdep for i in 1:x.n
        out[i] = x.coefficients[i, degree + 1]
    end
    @inbounds for k in degree:-1:1
        @simd ivdep for i in 1:x.n
            out[i] = muladd(out[i], theta, x.coefficients[i, k])
        end
    end
end

"One variable of a polynomial whose coefficients start after `offset` and lie `stride` apart."
@inline function horner(coefficients, offset::Int, stride::Int, degree::Int, theta::Float64)
    @inbounds value = coefficients[offset + degree * stride]
    @inbounds for k in degree-1:-1:0
        value = muladd(value, theta, coefficients[offset + k * stride])
    end
    return value
end

"Make the polynomial that of its first part, up to theta, alone."
function shorten!(x::Trajectory, theta::Float64)
    power = 1.0
    for k in 2:size(x.coefficients, 2)
        power *= theta
        @inbounds for i in 1:x.n
            x.coefficients[i, k] *= power
        end
    end
    x.piece_h *= theta
    return nothing
end

"The cubic through both ends with the derivatives there."
@inline function hermite!(x::Trajectory, n)
    h, c = x.h, x.coefficients
    @inbounds @simd ivdep for i in 1:n
        rise = x.u_new[i] - x.u[i]
        first, last = h * x.slope[i], h * x.slope_new[i]
        c[i, 1] = x.u[i]
        c[i, 2] = first
        c[i, 3] = 3 * rise - 2 * first - last
        c[i, 4] = first + last - 2 * rise
    end
end

"Keep the step from x.t on that ends at `t_end` in `y`."
function keep_step!(x::Trajectory, t_end::Float64, y, save::Int, keeps_dense::Bool)
    r = x.record
    push!(r.t, t_end)
    save > 0 && extend!(r.y, y)
    keeps_dense && extend!(r.coefficients, x.coefficients)
    return nothing
end

function keep_start!(x::Trajectory, save::Int)
    push!(x.record.t, x.t)
    save > 0 && extend!(x.record.y, x.u)
    return nothing
end

function extend!(list::Vector{Float64}, values)
    length_before = length(list)
    resize!(list, length_before + length(values))
    copyto!(list, length_before + 1, values, 1, length(values))
end
