"Networks of rates that settle, are nudged at their outputs, and learn from what that changes."
module Forward

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, add_rows!, allowed_threads, cancelled, expect!, guarded, meet!,
                          on_threads, progress!, scalar, throw_if_cancelled, @kernel

include("network.jl")
include("settling.jl")
include("learning.jl")
include("kernels.jl")

end
