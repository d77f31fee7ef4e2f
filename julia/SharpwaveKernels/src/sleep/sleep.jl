"Spiking networks that are driven by noise, and whose weights change with each spike: sleep replay consolidation."
module Sleep

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, allowed_threads, cancelled, expect!, guarded, meet!, on_threads,
                          progress!, scalar, throw_if_cancelled, @kernel

include("phase.jl")
include("kernels.jl")

end
