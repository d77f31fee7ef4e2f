# Tests of the Julia package: `julia runtests.jl`, with the folder that holds SharpwaveKernels on the load path.

using SharpwaveKernels, Test, LinearAlgebra

@testset "SharpwaveKernels" begin
    include("memory.jl")
    include("solving.jl")
    include("problems.jl")
    include("ode_methods.jl")
    include("ode_stiff.jl")
    include("ode_control.jl")
    include("ode_events.jl")
    include("ode_delays.jl")
    include("ode_kernels.jl")
    include("random.jl")
    include("unitwise.jl")
    include("spiking.jl")
    include("waves.jl")
    include("forward.jl")
    include("sleep.jl")
    include("dynamics.jl")
    include("expressions.jl")
end
