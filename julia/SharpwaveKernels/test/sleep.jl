# Sleep: a step by hand, no allocations, the same on any number of threads, arguments that do not fit are refused.

const SLEEP = SharpwaveKernels.Sleep

sleeping_layer(T, weights; threshold=1.0, threads=1) =
    SLEEP.Layer{T}(T.(weights), T(threshold), zeros(T, size(weights, 2)), zeros(Bool, size(weights, 2)), zeros(Int, threads))

"Bytes allocated by so many steps."
function sleep_allocations(layer, before, rule, steps)
    go() = for t in 1:steps
        layer.potential .= t % 3
        SLEEP.step!(layer, before, SLEEP.look!(before, layer.fired, rule), rule, 1:0)
        SLEEP.step!(layer, before, 2, rule, 1:2)
    end
    go()
    @allocated go()
end

room_exactly(w) = 2 - 2 / (1 + exp(-w / 0.001))

@testset "sleep, $T" for T in (Float32, Float64)
    rule = SLEEP.Rule{T}(0.5, 2.0, 0.1, 0.05, 0.001)
    for w in (-3.0, -0.02, -0.0013, -1e-5, 0.0, 2e-4, 0.0031, 0.05, 2.0)
        @test SLEEP.room(T(w), T(0.001)) ≈ room_exactly(Float64(T(w))) rtol = 8 * eps(T) * max(1, abs(w) / 0.001) atol = 1e-15
    end

    # three units before, of which two fire; the first unit stays below its threshold, the second fires
    layer, before = sleeping_layer(T, [0.1 0.9; -0.4 0.0; 0.3 0.2]), SLEEP.Before{T}(zeros(Int, 4), zeros(T, 3))
    active = SLEEP.look!(before, UInt8[1, 0, 1], rule)
    @test active == 2 && before.active[1:2] == [1, 3]
    @test SLEEP.step!(layer, before, active, rule, 1:2) == 1
    @test layer.potential ≈ T[0.8, 0]
    @test layer.fired == [false, true]
    @test layer.weights[:, 1] == T[0.1, -0.4, 0.3]
    @test layer.weights[:, 2] ≈ T[0.9, -0.05, 0.2]
    active = SLEEP.look!(before, [false, true, false], rule)
    SLEEP.step!(layer, before, active, rule, 1:2)
    @test layer.potential ≈ T[0.4 - 0.8, 2 * -0.05]
    SLEEP.step!(layer, before, active, rule, 1:2)
    @test sleep_allocations(layer, before, rule, 10) == sleep_allocations(layer, before, rule, 200)

    # a whole phase: as many threads as there are
    sizes, spikes = [6, 9, 7, 3], UInt8[(7i + 5t + i * t) % 3 == 0 for i in 1:6, t in 1:250]
    start = T[sin(3k) / 2 for k in 1:6*9+9*7+7*3]
    results = map((1, 2)) do threads
        weights, fired = copy(start), zeros(Int, 3)
        SLEEP.sleep_phase(SPIKING_CONTROL, threads, [0.99, 2.0, 0.1, 0.01, 0.001], sizes, [1.0, 1.0, 0.5], spikes, weights, fired)
        (weights, fired)
    end
    @test results[1] == results[2]
    @test all(>(0), results[1][2])
end

@testset "sleep refuses what does not fit" begin
    bad(work) = try work(); "" catch e; sprint(showerror, e) end
    go(; rule=[0.9, 1.0, 0.1, 0.1, 0.001], sizes=[2, 1], thresholds=[1.0], spikes=zeros(UInt8, 2, 3), weights=zeros(2)) =
        bad(() -> SLEEP.sleep_phase(SPIKING_CONTROL, 1, rule, sizes, thresholds, spikes, weights, zeros(Int, 1)))
    @test go() == ""
    @test occursin("at least one layer", go(sizes=[2]))
    @test occursin("expected 1, got 2", go(thresholds=[1.0, 2.0]))
    @test occursin("expected 2 inputs, got 3", go(spikes=zeros(UInt8, 3, 3)))
    @test occursin("expected 2, got 3", go(weights=zeros(3)))
    @test occursin("must be positive", go(rule=[0.9, 0.0, 0.1, 0.1, 0.001]))
end
