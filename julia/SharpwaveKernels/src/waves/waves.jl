"Wave lattices. A wave is never moved in memory: columns are a ring, and the one that leaves makes room for the one that starts."
module Waves

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, allowed_threads, cancelled, expect!, guarded, on_threads,
                          lookup, progress!, throw_if_cancelled, @kernel

include("boundaries.jl")
include("linear.jl")
include("attention.jl")
include("perceptron.jl")
include("equation.jl")
include("mixing.jl")
include("running.jl")

end
