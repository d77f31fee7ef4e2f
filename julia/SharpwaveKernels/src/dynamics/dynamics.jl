"Dynamics of networks of tanh units under an input that stays the same, h -> tanh(W h + b), b with the input in it."
module Dynamics

using LinearAlgebra: transpose!
using ..SharpwaveKernels: BadArgument, Control, KERNELS, Kernel, cancelled, expect!, guarded, multiply_rows!, pivot_row, progress!, scalar,
                          share_out, swap_rows!, throw_if_cancelled, @kernel

include("solving.jl")
include("newton.jl")
include("lyapunov.jl")

end
