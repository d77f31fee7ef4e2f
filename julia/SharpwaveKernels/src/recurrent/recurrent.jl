"Recurrent networks of three matrices, trained side by side."
module Recurrent

using ..SharpwaveKernels: BadArgument, Control, KERNELS, Kernel, cancelled, expect!, guarded, multiply_rows!, progress!, random_words,
                          throw_if_cancelled, @kernel
using ..SharpwaveKernels.Spiking: Barrier, on_threads

include("elman.jl")
include("training.jl")

end
