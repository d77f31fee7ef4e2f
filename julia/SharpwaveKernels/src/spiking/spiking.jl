"Spiking networks in batches: event-driven delivery, compiled neuron models and plasticity rules, threads over the examples."
module Spiking

using ..SharpwaveKernels: BadArgument, Control, KERNELS, Kernel, cancelled, expect!, guarded, progress!, random_words, run_units,
                          scalar, throw_if_cancelled, unit_interval, unit_loop, @kernel

include("network.jl")
include("building.jl")
include("encoding.jl")
include("lane.jl")
include("plasticity.jl")
include("running.jl")
include("kernels.jl")

end
