# The classical Runge-Kutta method of order 4, for fixed steps.

struct RungeKutta4{N} <: SteppingMethod{N}
    K::Matrix{Float64}      # the four derivatives
    du::Vector{Float64}
end
RungeKutta4{N}(n::Int) where {N} = RungeKutta4{N}(zeros(n, 4), zeros(n))

order(::RungeKutta4) = 4
degree(::RungeKutta4) = 3
reuses_slope(::RungeKutta4) = true

function attempt!(x::Trajectory, m::RungeKutta4, s::System)
    n, h, K = dim(m, x), x.h, m.K
    store_stage!(K, 1, x.slope, n)
    stage_point!(x.point, x.u, h, (0.5,), K, n)
    derivative!(m.du, x, s, x.point, x.t + h / 2)
    store_stage!(K, 2, m.du, n)
    stage_point!(x.point, x.u, h, (0.0, 0.5), K, n)
    derivative!(m.du, x, s, x.point, x.t + h / 2)
    store_stage!(K, 3, m.du, n)
    stage_point!(x.point, x.u, h, (0.0, 0.0, 1.0), K, n)
    derivative!(m.du, x, s, x.point, x.t + h)
    store_stage!(K, 4, m.du, n)
    stage_point!(x.u_new, x.u, h, (1 / 6, 1 / 3, 1 / 3, 1 / 6), K, n)
    derivative!(x.slope_new, x, s, x.u_new, x.t + h)
    return nothing
end

interpolant!(x::Trajectory, m::RungeKutta4) = hermite!(x, dim(m, x))
