# Ordinary and delay differential equations: batches of independent trajectories of one system, each with its own step size.
#
#   system.jl               System: the equations as plain functions
#   trajectory.jl           Plan (what is asked for), Trajectory (the state of one integration), Record (its kept steps)
#   dense.jl                dense output: one polynomial in theta a step
#   linear.jl               LU factors of small and large matrices
#   tsit5.jl rodas5p.jl runge_kutta4.jl exponential_euler.jl
#                           the methods; coefficients in tsit5_tableau.jl, rodas5p_tableau.jl
#   exponential.jl          the matrix exponential that the last of them needs
#   step_size.jl            error norm, first step, PI control
#   delays.jl               values in the past: history, kept steps, the present step
#   breakpoints.jl          where delays carry the kink at the start to, and steps that end there
#   events.jl               sign changes on the dense output
#   driver.jl               one trajectory from start to end
#   batch.jl                many trajectories over Julia's threads, and what they leave
#   pointers.jl             compiled equations as a System
#   kernels.jl              the kernels `integrate` and `fetch_result`
#   precompile.jl           what is compiled with the package
#
# A method is a struct with its stages in it and five functions: `order`, `degree` of its dense output, `reuses_slope`
# (does a step end with the derivative there?), `attempt!` (one step from x.t to x.t + x.h: the new state, its error
# estimate and, if it reuses it, the new derivative), and `interpolant!` (the coefficients of that step's polynomial).

include("system.jl")
include("trajectory.jl")
include("dense.jl")
include("linear.jl")
include("delays.jl")
include("tsit5_tableau.jl")
include("tsit5.jl")
include("rodas5p_tableau.jl")
include("rodas5p.jl")
include("runge_kutta4.jl")
include("exponential.jl")
include("exponential_euler.jl")
include("step_size.jl")
include("breakpoints.jl")
include("events.jl")
include("driver.jl")
include("batch.jl")
include("pointers.jl")
include("kernels.jl")
include("precompile.jl")
