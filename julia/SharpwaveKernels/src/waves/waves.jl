"Wave lattices. A wave is never moved in memory: columns are a ring, and the one that leaves makes room for the one that starts."
module Waves

using ..SharpwaveKernels: BadArgument, Control, KERNELS, Kernel, cancelled, expect!, guarded, progress!, throw_if_cancelled, @kernel
using ..SharpwaveKernels.Spiking: Barrier, on_threads

include("boundaries.jl")
include("running.jl")

end
