"""
Kernels for the dynamics of neural memory, called from Python through a table of C functions.

Standard library only; runs unchanged on Julia 1.5 to 1.12. Knows nothing of its caller.
"""
module SharpwaveKernels

using LinearAlgebra

include("control.jl")
include("abi.jl")
include("mailbox.jl")

include("multiply.jl")
include("expressions.jl")
include("equations.jl")
include("ode/ode.jl")
include("memory/activations.jl")
include("memory/network.jl")
include("memory/stepping.jl")
include("memory/adaptive.jl")
include("memory/kernels.jl")
include("memory/learning.jl")
include("threads.jl")
include("random.jl")
include("unitwise.jl")
include("spiking/spiking.jl")
include("recurrent/recurrent.jl")
include("waves/waves.jl")
include("dynamics/dynamics.jl")
include("forward/forward.jl")
include("sleep/sleep.jl")

"Add one to every element: what a call costs, and proof that memory is shared."
function increment(::Control, x::Vector{Float64})
    @inbounds @simd for i in eachindex(x)
        x[i] += 1
    end
end
@kernel increment """
    x inout f64[n]
"""

end
