# The exponential Rosenbrock-Euler method, for fixed steps: u(t + h) = u + h phi_1(hJ) f + h^2 phi_2(hJ) df/dt with the
# whole Jacobian J (Hochbruck & Ostermann, Exponential integrators, Acta Numerica 19 (2010) 209, 2.4). It is of order 2,
# and exact where f is linear in u and t; the variant with J's diagonal alone, usual for gating variables, is neither.

struct ExponentialEuler{N} <: SteppingMethod{N}
    J::Matrix{Float64}
    time_slope::Vector{Float64}
    du::Vector{Float64}
    rises::Matrix{Float64}          # u(t + theta h) - u at theta = 1/4, 1/2, 1
    e::ExponentialSpace
end
ExponentialEuler{N}(n::Int) where {N} =
    ExponentialEuler{N}(zeros(n, n), zeros(n), zeros(n), zeros(n, 3), ExponentialSpace(n + 2))

order(::ExponentialEuler) = 2
degree(::ExponentialEuler) = 3
reuses_slope(::ExponentialEuler) = false

function attempt!(x::Trajectory, m::ExponentialEuler, s::System)
    n = dim(m, x)
    time_slope!(m.time_slope, m.du, x, s)
    s.jac!(m.J, x.u, x.p, x.t, x.lags)
    x.jacobians += 1
    unit = augment!(m, x)
    squarings = halvings(m.e.A)
    if squarings < 0
        fill!(x.u_new, NaN)
        return nothing
    end
    exponential!(m.e, squarings)
    for k in 1:squarings
        k > squarings - 2 && take_rise!(m, n, k - squarings + 2, unit)
        square!(m.e)
    end
    take_rise!(m, n, 3, unit)
    @inbounds for i in 1:n
        x.u_new[i] = x.u[i] + m.rises[i, 3]
    end
    return nothing
end

"""
Set the matrix [hJ h^2 df/dt/c hf/c; 0 0 1; 0 0 0]: the last column of the exponential of theta times it is the rise at
theta, over c. Returns c, which keeps the matrix's norm that of hJ.
"""
function augment!(m::ExponentialEuler, x::Trajectory)
    n, h, A = dim(m, x), x.h, m.e.A
    unit = 0.0
    @inbounds for i in 1:n
        unit = max(unit, abs(h * x.slope[i]), abs(h * h * m.time_slope[i]))
    end
    unit > 0 || (unit = 1.0)
    fill!(A, 0.0)
    @inbounds for j in 1:n, i in 1:n
        A[i, j] = h * m.J[i, j]
    end
    @inbounds for i in 1:n
        A[i, n+1] = h * h * m.time_slope[i] / unit
        A[i, n+2] = h * x.slope[i] / unit
    end
    A[n+1, n+2] = 1.0
    return unit
end

function take_rise!(m::ExponentialEuler, n::Int, column::Int, unit::Float64)
    @inbounds for i in 1:n
        m.rises[i, column] = unit * m.e.result[i, n+2]
    end
end

"The cubic through the step's own flow at theta = 0, 1/4, 1/2, 1: its powers of the matrix were needed anyway."
function interpolant!(x::Trajectory, m::ExponentialEuler)
    c = x.coefficients
    @inbounds for i in 1:dim(m, x)
        quarter, half, whole = m.rises[i, 1], m.rises[i, 2], m.rises[i, 3]
        c[i, 1] = x.u[i]
        c[i, 2] = 32 / 3 * quarter - 4 * half + whole / 3
        c[i, 3] = -32 * quarter + 20 * half - 2 * whole
        c[i, 4] = 64 / 3 * quarter - 16 * half + 8 / 3 * whole
    end
end
