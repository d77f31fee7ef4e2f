# The stiff test problems by hand. E. Hairer & G. Wanner, Solving Ordinary Differential Equations II (1996), IV.10.

no_tgrad!(dT, u, p, t, lags) = (fill!(dT, 0.0); nothing)

function hires_rhs!(du, u, p, t, lags)
    @inbounds begin
        r = 280.0 * u[6] * u[8]
        du[1] = -1.71u[1] + 0.43u[2] + 8.32u[3] + 0.0007
        du[2] = 1.71u[1] - 8.75u[2]
        du[3] = -10.03u[3] + 0.43u[4] + 0.035u[5]
        du[4] = 8.32u[2] + 1.71u[3] - 1.12u[4]
        du[5] = -1.745u[5] + 0.43u[6] + 0.43u[7]
        du[6] = -r + 0.69u[4] + 1.71u[5] - 0.43u[6] + 0.69u[7]
        du[7] = r - 1.81u[7]
        du[8] = -r + 1.81u[7]
    end
    return nothing
end
function hires_jac!(J, u, p, t, lags)
    fill!(J, 0.0)
    @inbounds begin
        a, b = 280.0 * u[8], 280.0 * u[6]
        J[1, 1] = -1.71; J[1, 2] = 0.43; J[1, 3] = 8.32
        J[2, 1] = 1.71; J[2, 2] = -8.75
        J[3, 3] = -10.03; J[3, 4] = 0.43; J[3, 5] = 0.035
        J[4, 2] = 8.32; J[4, 3] = 1.71; J[4, 4] = -1.12
        J[5, 5] = -1.745; J[5, 6] = 0.43; J[5, 7] = 0.43
        J[6, 4] = 0.69; J[6, 5] = 1.71; J[6, 6] = -a - 0.43; J[6, 7] = 0.69; J[6, 8] = -b
        J[7, 6] = a; J[7, 7] = -1.81; J[7, 8] = b
        J[8, 6] = -a; J[8, 7] = 1.81; J[8, 8] = -b
    end
    return nothing
end

function rober_rhs!(du, u, p, t, lags)
    @inbounds begin
        a, b, c = 0.04u[1], 1e4 * u[2] * u[3], 3e7 * u[2] * u[2]
        du[1] = b - a
        du[2] = a - b - c
        du[3] = c
    end
    return nothing
end
function rober_jac!(J, u, p, t, lags)
    @inbounds begin
        J[1, 1] = -0.04; J[1, 2] = 1e4 * u[3]; J[1, 3] = 1e4 * u[2]
        J[2, 1] = 0.04; J[2, 2] = -1e4 * u[3] - 6e7 * u[2]; J[2, 3] = -1e4 * u[2]
        J[3, 1] = 0.0; J[3, 2] = 6e7 * u[2]; J[3, 3] = 0.0
    end
    return nothing
end

function orego_rhs!(du, u, p, t, lags)
    @inbounds begin
        du[1] = 77.27 * (u[2] + u[1] * (1 - 8.375e-6u[1] - u[2]))
        du[2] = (u[3] - (1 + u[1]) * u[2]) / 77.27
        du[3] = 0.161 * (u[1] - u[3])
    end
    return nothing
end
function orego_jac!(J, u, p, t, lags)
    @inbounds begin
        J[1, 1] = 77.27 * (1 - 2 * 8.375e-6u[1] - u[2]); J[1, 2] = 77.27 * (1 - u[1]); J[1, 3] = 0.0
        J[2, 1] = -u[2] / 77.27; J[2, 2] = -(1 + u[1]) / 77.27; J[2, 3] = 1 / 77.27
        J[3, 1] = 0.161; J[3, 2] = 0.0; J[3, 3] = -0.161
    end
    return nothing
end

function vdpol_rhs!(du, u, p, t, lags)
    @inbounds begin
        du[1] = u[2]
        du[2] = ((1 - u[1] * u[1]) * u[2] - u[1]) / 1e-6
    end
    return nothing
end
function vdpol_jac!(J, u, p, t, lags)
    @inbounds begin
        J[1, 1] = 0.0; J[1, 2] = 1.0
        J[2, 1] = (-2u[1] * u[2] - 1) / 1e-6; J[2, 2] = (1 - u[1] * u[1]) / 1e-6
    end
    return nothing
end

struct Reference
    system::Any
    y0::Vector{Float64}
    t1::Float64
    y1::Vector{Float64}
    atol::Float64       # as a part of rtol
end

# End points: E. Hairer's and F. Mazzia's test sets for initial value problem solvers.
const STIFF = Dict(
    "HIRES" => Reference(SK.System(n = 8, rhs! = hires_rhs!, jac! = hires_jac!, tgrad! = no_tgrad!),
        [1, 0, 0, 0, 0, 0, 0, 0.0057], 321.8122,
        [0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2, 0.2386356198831331e-2,
         0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2], 1e-4),
    "ROBER" => Reference(SK.System(n = 3, rhs! = rober_rhs!, jac! = rober_jac!, tgrad! = no_tgrad!), [1, 0, 0], 1e11,
        [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050], 1e-8),
    "OREGO" => Reference(SK.System(n = 3, rhs! = orego_rhs!, jac! = orego_jac!, tgrad! = no_tgrad!), [1, 2, 3], 360.0,
        [1.000814870318523, 1228.178521549917, 132.0554942846706], 1e-3),
    "VDPOL" => Reference(SK.System(n = 2, rhs! = vdpol_rhs!, jac! = vdpol_jac!, tgrad! = no_tgrad!), [2, 0], 2.0,
        [1.706167732170483, -0.8928097010247975], 1.0),
)
