"Dynamics of networks of tanh units under an input that stays the same, h -> tanh(W h + b), b with the input in it."
module Dynamics

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, allowed_threads, cancelled, expect!, guarded, multiply_rows!,
                          on_threads, progress!, scalar, throw_if_cancelled, @kernel

include("solving.jl")
include("newton.jl")
include("lyapunov.jl")

end
