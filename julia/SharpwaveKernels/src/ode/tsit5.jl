# Tsit5: explicit, order 5, for problems that are not stiff.

struct Tsit5{N} <: SteppingMethod{N}
    K::Matrix{Float64}      # the seven derivatives
    du::Vector{Float64}
end
Tsit5{N}(n::Int) where {N} = Tsit5{N}(zeros(n, 7), zeros(n))

order(::Tsit5) = 5
degree(::Tsit5) = 4
reuses_slope(::Tsit5) = true

function attempt!(x::Trajectory, m::Tsit5, s::System)
    n, h, K = dim(m, x), x.h, m.K
    store_stage!(K, 1, x.slope, n)
    tsit5_stage!(x, m, s, Val(2))
    tsit5_stage!(x, m, s, Val(3))
    tsit5_stage!(x, m, s, Val(4))
    tsit5_stage!(x, m, s, Val(5))
    tsit5_stage!(x, m, s, Val(6))
    stage_point!(x.u_new, x.u, h, TSIT5_STAGES[6], K, n)
    derivative!(x.slope_new, x, s, x.u_new, x.t + h)
    store_stage!(K, 7, x.slope_new, n)
    @inbounds @simd ivdep for i in 1:n
        x.error[i] = h * stage_sum(TSIT5_ERROR, K, i, 1)
    end
    return nothing
end

@inline function tsit5_stage!(x, m, s, ::Val{J}) where {J}
    stage_point!(x.point, x.u, x.h, TSIT5_STAGES[J-1], m.K, dim(m, x))
    derivative!(m.du, x, s, x.point, x.t + TSIT5_NODES[J] * x.h)
    store_stage!(m.K, J, m.du, dim(m, x))
end

function interpolant!(x::Trajectory, m::Tsit5)
    h, c = x.h, x.coefficients
    @inbounds @simd ivdep for i in 1:dim(m, x)
        c[i, 1] = x.u[i]
        c[i, 2] = h * stage_sum(TSIT5_DENSE[1], m.K, i, 1)
        c[i, 3] = h * stage_sum(TSIT5_DENSE[2], m.K, i, 1)
        c[i, 4] = h * stage_sum(TSIT5_DENSE[3], m.K, i, 1)
        c[i, 5] = h * stage_sum(TSIT5_DENSE[4], m.K, i, 1)
    end
end
