# Rodas5P: linearly implicit, order 5, L-stable, for stiff problems.

struct Rodas5P{N} <: SteppingMethod{N}
    K::Matrix{Float64}              # the eight stages
    J::Matrix{Float64}
    time_slope::Vector{Float64}     # df/dt at t
    du::Vector{Float64}
    factors::Factors{N}
end
Rodas5P{N}(n::Int) where {N} = Rodas5P{N}(zeros(n, 8), zeros(n, n), zeros(n), zeros(n), Factors{N}(n))

order(::Rodas5P) = 5
degree(::Rodas5P) = 4
reuses_slope(::Rodas5P) = false

function attempt!(x::Trajectory, m::Rodas5P, s::System)
    n, h, K = dim(m, x), x.h, m.K
    time_slope!(m.time_slope, m.du, x, s)
    s.jac!(m.J, x.u, x.p, x.t, x.lags)
    x.jacobians += 1
    shifted!(m.factors, 1 / (RODAS5P_GAMMA * h), m.J)
    factorize!(m.factors)
    x.factorizations += 1
    @inbounds @simd ivdep for i in 1:n
        m.du[i] = muladd(h * RODAS5P_TIME[1], m.time_slope[i], x.slope[i])
    end
    solve_stage!(x, m, 1)
    rodas5p_stage!(x, m, s, Val(2))
    rodas5p_stage!(x, m, s, Val(3))
    rodas5p_stage!(x, m, s, Val(4))
    rodas5p_stage!(x, m, s, Val(5))
    rodas5p_stage!(x, m, s, Val(6))
    last_stages!(x, m, s, Val(7))
    last_stages!(x, m, s, Val(8))
    @inbounds @simd ivdep for i in 1:n
        x.error[i] = K[i, 8]
        x.u_new[i] = x.point[i] + K[i, 8]
    end
    return nothing
end

@inline solve_stage!(x, m, j) = (solve!(m.factors, m.du); store_stage!(m.K, j, m.du, dim(m, x)))

@inline function rodas5p_stage!(x, m, s, ::Val{J}) where {J}
    stage_point!(x.point, x.u, 1.0, RODAS5P_STAGES[J-1], m.K, dim(m, x))
    derivative!(m.du, x, s, x.point, x.t + RODAS5P_NODES[J] * x.h)
    per_h = 1 / x.h
    @inbounds @simd ivdep for i in 1:dim(m, x)
        m.du[i] += muladd(per_h, stage_sum(RODAS5P_COUPLING[J-1], m.K, i, 1), time_term(m, x.h, i, Val(J)))
    end
    solve_stage!(x, m, J)
end

@inline time_term(m, h, i, ::Val{J}) where {J} = J <= 5 ? (@inbounds h * RODAS5P_TIME[J] * m.time_slope[i]) : 0.0

@inline function last_stages!(x, m, s, ::Val{J}) where {J}
    @inbounds @simd ivdep for i in 1:dim(m, x)
        x.point[i] += m.K[i, J-1]
    end
    derivative!(m.du, x, s, x.point, x.t + x.h)
    per_h = 1 / x.h
    @inbounds @simd ivdep for i in 1:dim(m, x)
        m.du[i] = muladd(per_h, stage_sum(RODAS5P_COUPLING[J-1], m.K, i, 1), m.du[i])
    end
    solve_stage!(x, m, J)
end

function interpolant!(x::Trajectory, m::Rodas5P)
    c = x.coefficients
    @inbounds @simd ivdep for i in 1:dim(m, x)
        rise = x.u_new[i] - x.u[i]
        first, second, third = stage_sum(RODAS5P_DENSE[1], m.K, i, 1), stage_sum(RODAS5P_DENSE[2], m.K, i, 1),
                               stage_sum(RODAS5P_DENSE[3], m.K, i, 1)
        c[i, 1] = x.u[i]
        c[i, 2] = rise + first
        c[i, 3] = second - first
        c[i, 4] = third - second
        c[i, 5] = -third
    end
end
