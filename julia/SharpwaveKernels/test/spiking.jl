# The engine of spiking networks on a network small enough to check by hand: leaky units without refractory time.

using SharpwaveKernels.Spiking: Barrier, Lane, Outcome, Presentation, Recorded, Run, advance!, clear!, encode!, learn!, network, settle!,
                                 spiking_connection, spiking_lateral, spiking_network, spiking_population, spiking_release, spiking_rule,
                                 workspace

const SPIKING_BLOCK = zeros(Int64, 4)
const SPIKING_CONTROL = SharpwaveKernels.Control(pointer(SPIKING_BLOCK))

function compiled(bits, code, outputs)
    handle = [0]
    SharpwaveKernels.compile_unitwise(SPIKING_CONTROL, bits, reduce(hcat, code), reduce(hcat, outputs), handle)
    return handle[1]
end

# Arrays: 0 v, 1 arrivals, 2 threshold (a column), 3 crossed. Scalars: 0 decay, or 0 reset value.
leaky_step(bits) = compiled(bits, [[2, 0, 0, 0], [0, 0, 0, 0], [12, 0, 1, 0], [2, 1, 0, 0], [10, 2, 3, 0], [2, 2, 0, 0], [21, 5, 4, 0]],
                            [[0, 4], [3, 6]])
leaky_reset(bits) = compiled(bits, [[0, 0, 0, 0]], [[0, 0], [3, 0]])
# Arrays: 0 w, 1 trace, 2 change.
by_trace(bits) = compiled(bits, [[2, 1, 0, 0], [0, 0, 0, 0], [12, 0, 1, 0]], [[2, 2]])

"Two inputs and two leaky units of decay .5 and threshold 1, all to all, with pair STDP of rate .1 and .25."
function small_network(bits; lateral = false)
    handle = [0]
    spiking_network(SPIKING_CONTROL, bits, handle)
    net = handle[1]
    trace = reshape([0.5, 0.0], 2, 1)
    spiking_population(SPIKING_CONTROL, net, [2, 1, 0, 0, 0, 0, 0, 0, 0], [0, 0], Float64[], Float64[], [0.0, 1.0], trace)
    spiking_population(SPIKING_CONTROL, net, [2, 0, 1, 1, 1, 0, 0, 0, 1], [leaky_step(bits), leaky_reset(bits)], [0.5], [0.0],
                       [0.125, 1.0], trace)
    spiking_connection(SPIKING_CONTROL, net, [1, 2, 1, 4, 0, 2, 0], [0], [0, 2], [0, 1], [0, 2], [1], 0.0)
    spiking_rule(SPIKING_CONTROL, net, [0, by_trace(bits), 1, 1, by_trace(bits), 1, 1], [0, 0], [1], [0, 0], [1], [0.1], [0.25],
                 [-1.0, 1.0], [0.0, 2.0], 0.0)
    lateral && spiking_lateral(SPIKING_CONTROL, net, [2, 2, 1, 2], -4.0)
    return net
end

function simulated(bits, net; steps = 4, learning = 1, units = Int32[0, 1, 0], at = Int32[0, 0, 2], weights = [1.5, 0.25, 0.25, 0.5])
    weights, columns = copy(weights), [1.0, 1.0]
    summary, counts, kept = zeros(Int, 4, 1), zeros(Int32, 2, 1), zeros(Int, 2)
    SharpwaveKernels.Spiking.simulate_spiking(
        SPIKING_CONTROL, net, [1, 0, 1, steps, steps, 7, learning, 1, 1, 0, 0], 1.0, [1.0], weights, columns, zeros(2, 1), zeros(0, 1),
        [0, length(units)], at, units, zeros(0, 1), [0, 0], [0, 1], zeros(Int, 4, 0), Int32[], zeros(0, 1), summary, counts, kept)
    return weights, columns, vec(counts)
end

@testset "a spiking network by hand, $bits bits" for bits in (64, 32)
    net = small_network(bits)
    # Step 1 (from 1): both inputs spike. Step 2: 1.75 and .75 arrive; unit 1 spikes. Step 3: input 1 spikes, before which its trace has
    # fallen to 1/4 but is set to 1; unit 1 has a trace of 1/2, so w[1 -> 1] falls by .1/2. Step 4: unit 2 has .75/4 + w[1 -> 2].
    weights, columns, counts = simulated(bits, net)
    @test counts == [2, 0]
    # At step 2, w[. -> 1] rises by .25/2 each (traces of the inputs one step after their spikes); at step 4, by .25 times the traces
    # 1/2 of input 1 and 1/8 of input 2.
    @test weights ≈ [1.5 + 0.125 - 0.05 + 0.125, 0.25, 0.25 + 0.125 + 0.03125, 0.5] rtol = 1e-6
    @test columns ≈ [1.25, 1.0]
    weights, columns, counts = simulated(bits, net, learning = 0)
    @test weights == [1.5, 0.25, 0.25, 0.5] && columns == [1.0, 1.0]
    spiking_release(SPIKING_CONTROL, net)
end

@testset "a spike inhibits all of its group but its own unit" begin
    net = small_network(64, lateral = true)
    _, _, counts = simulated(64, net, units = Int32[0, 1, 0, 1], at = Int32[0, 0, 1, 1], learning = 0, weights = [1.5, 0.75, 0.25, 0.0])
    @test counts == [2, 0]
    _, _, counts = simulated(64, net, units = Int32[0, 1], at = Int32[0, 0], learning = 0, weights = [1.5, 0.75, 0.25, 0.5])
    @test counts == [1, 1]              # both cross before either can inhibit
    spiking_release(SPIKING_CONTROL, net)
end

@testset "steps and learning do not allocate, $bits bits" for bits in (64, 32)
    net, T = network(small_network(bits)), SharpwaveKernels.float_of(bits)
    weights, columns, precise = T[1.5, 0.25, 0.25, 0.5], T[1, 1], [1.0, 1.0]
    decays = [[T.(cumprod([1.0; fill(0.5, 50)]))] for _ in 1:2]
    r = Run{T}(net, SPIKING_CONTROL, zeros(2, 1), zeros(0, 1), [0, 40], Int32.(repeat(0:19, inner = 2)), Int32.(repeat(0:1, 20)),
               zeros(0, 1), 1, 0, 50, 50, 1.0, 7, true, [false, false], SharpwaveKernels.Spiking.Monitor[], zeros(0, 1), decays,
               pointer(weights), pointer(columns), precise)
    lanes, spaces, present, barrier = [Lane(net, 50, r.columns)], [workspace(T, net, c) for c in net.connections], [1], Barrier(1)
    function present_once()
        clear!(lanes[1], r)
        encode!(lanes[1].inputs, r, 0, 0, 1.0)
        for step in 1:50
            advance!(r, lanes[1], step)
            learn!(r, lanes, present, spaces, step, 1, barrier)
        end
        settle!(r, lanes, present, spaces, 1, 1)
    end
    GC.@preserve weights columns precise begin
        present_once()
        @test (@allocated present_once()) == 0
    end
    @test sum(lanes[1].layers[2].counts) > 5
end

@testset "malformed descriptions of spiking networks are refused" begin
    handle = [0]
    spiking_network(SPIKING_CONTROL, 64, handle)
    refused(f) = try
        f()
        ""
    catch e
        e isa SharpwaveKernels.BadArgument ? e.argument : rethrow()
    end
    @test refused(() -> spiking_network(SPIKING_CONTROL, 16, [0])) == "bits"
    @test refused(() -> network(10^6)) == "network"
    add(numbers, programs) = spiking_population(SPIKING_CONTROL, handle[1], numbers, programs, Float64[], Float64[], [0.0, 1.0], zeros(2, 0))
    @test refused(() -> add([2, 9, 0, 0, 0, 0, 0, 0, 0], [0, 0])) == "numbers"
    @test refused(() -> add([2, 0, 1, 1, 0, 0, 0, 0, 0], [0, 0])) == "programs"
    @test refused(() -> add([2, 0, 1, 1, 0, 0, 0, 0, 0], [leaky_step(32), leaky_step(32)])) == "programs"
    add([2, 1, 0, 0, 0, 0, 0, 0, 0], [0, 0])
    connect(numbers, entries) = spiking_connection(SPIKING_CONTROL, handle[1], numbers, [0], [0, 1], entries, [0], [1], 0.0)
    @test refused(() -> connect([1, 5, 1, 2, 0, 2, 0], [0])) == "numbers"
    spiking_release(SPIKING_CONTROL, handle[1])
end
