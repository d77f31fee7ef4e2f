"Recurrent networks of three matrices, trained side by side."
module Recurrent

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, cancelled, expect!, guarded, multiply_rows!, on_threads,
                          progress!, random_words, scalar, share_out, throw_if_cancelled, @kernel

include("elman.jl")
include("training.jl")
include("automata.jl")

end
