"Spiking networks in batches: event-driven delivery, compiled neuron models and plasticity rules, threads over the examples."
module Spiking

using ..SharpwaveKernels: BadArgument, Barrier, Control, KERNELS, Kernel, allowed_threads, cancelled, compiled_loop, expect!, fast_log,
                          float_of, guarded, meet!, on_threads, progress!, random_words, run_units, scalar, throw_if_cancelled,
                          unit_interval, wait_until, @kernel

include("network.jl")
include("building.jl")
include("lists.jl")
include("rows.jl")
include("encoding.jl")
include("lane.jl")
include("stepping.jl")
include("changes.jl")
include("plasticity.jl")
include("dense.jl")
include("settling.jl")
include("running.jl")
include("kernels.jl")

# Inferred once, when the package is compiled: half of what a first call would otherwise wait for.
for T in (Float64, Float32), run! in (run_alone!, run_online!, run_learning!)
    precompile(run!, (Outcome, Run{T}, Presentation, Barrier))
end

end
