# Products and recall: bit for bit the same in any company, the two forms agree, orders of accuracy are as published.

const SK = SharpwaveKernels

"A generator that is the same on every Julia (xorshift64*)."
mutable struct Xorshift
    state::UInt64
end
function draw(r::Xorshift)
    x = r.state
    x = xor(x, x >> 12); x = xor(x, x << 25); x = xor(x, x >> 27)
    r.state = x
    return Float64((x * 0x2545f4914f6cdd1d) >> 11) / 2.0^53
end
draws(r::Xorshift, sizes...) = Float64[draw(r) for _ in CartesianIndices(sizes)]

function recall(; N=60, K=6, batch=1, reduced=true, dt=0.0, rtol=1e-8, atol=1e-10, t_end=12.0, tau_h=0.0, feature=0,
                hidden=2, gain=0.2, starts=[0.0], drive=zeros(N, 1), times=collect(range(0, stop=t_end, length=25)), seed=1,
                max_steps=10^6, only=1:batch)
    r = Xorshift(seed)
    patterns = ifelse.(draws(r, N, K) .< 0.5, -1.0, 1.0)
    cues = (patterns[:, mod1.(1:batch, K)] .* (draws(r, N, batch) .< 0.8))[:, only]
    count = length(only)
    gram = patterns' * patterns
    layers = reduced ? vcat(patterns' * cues, zeros(3K, count)) : vcat(cues, zeros(N, count))
    initial = tau_h > 0 ? vcat(layers, zeros(K, count)) : layers
    rows = size(initial, 1)
    states = zeros(rows, length(times), count)
    reached, counts = zeros(count), zeros(Int64, 3, count)
    control = zeros(Int64, 4)
    from = collect(0:K-1)
    GC.@preserve control SK.memory_recall(
        SK.Control(pointer(control)), reduced ? gram : patterns, reduced ? gram : collect(patterns'), Int64(reduced),
        [Float64(feature) Float64(hidden); 1.0 gain], from, mod.(from .+ 1, K), ones(K), [1.0, tau_h, 20.0, 1.0, 4.9, 7.0],
        starts, reduced ? patterns' * drive : drive, initial, times, t_end, dt, rtol, atol, max_steps, states, reached,
        counts)
    overlaps = reduced ? states[1:K, :, :] : reshape(patterns' * reshape(states[1:N, :, :], N, :), K, length(times), count)
    return (overlaps=overlaps ./ N, states=states, counts=counts, reached=reached)
end

@testset "products do not depend on company" begin
    r = Xorshift(7)
    for (rows, depth, columns) in ((1, 1, 1), (7, 3, 5), (600, 131, 9), (33, 260, 4))
        A, B = draws(r, rows, depth), draws(r, depth, columns)
        C = fill(NaN, rows, columns)
        SK.multiply!(C, A, B, columns, false)
        @test C ≈ A * B rtol = 1e-13
        for j in 1:columns
            c = fill(NaN, rows, 1)
            SK.multiply!(c, A, B[:, j:j], 1, true)
            @test c[:, 1] == C[:, j]
        end
    end
end

@testset "exp of negative numbers" begin
    r = Xorshift(3)
    worst = maximum(1:20000) do _
        x = -708 * draw(r)^4
        abs(SK.exp_negative(x) / exp(x) - 1)
    end
    @test worst <= 2eps()
    @test SK.exp_negative(0.0) == 1.0
    @test SK.exp_negative(-709.0) == 0.0
    @test SK.exp_negative(-Inf) == 0.0
    @test isnan(SK.exp_negative(NaN))
end

@testset "recall: the two forms agree" begin
    for tau_h in (0.0, 0.5)
        a = recall(batch=3, tau_h=tau_h, rtol=1e-10, atol=1e-12)
        b = recall(batch=3, tau_h=tau_h, rtol=1e-10, atol=1e-12, reduced=false)
        @test maximum(abs, a.overlaps - b.overlaps) < 1e-8
        c = recall(batch=3, tau_h=tau_h, dt=0.01)
        d = recall(batch=3, tau_h=tau_h, dt=0.01, reduced=false)
        @test maximum(abs, c.overlaps - d.overlaps) < 1e-12
    end
end

@testset "recall: bit for bit the same alone and in a batch" begin
    for settings in ((reduced=true,), (reduced=false,), (reduced=true, dt=0.02), (reduced=true, N=500, K=300))
        all = recall(; batch=41, settings...)
        for b in (1, 2, 33, 41)
            one = recall(; batch=41, only=b:b, settings...)
            @test one.states[:, :, 1] == all.states[:, :, b]
            @test one.counts[:, 1] == all.counts[:, b]
        end
    end
end

@testset "recall: orders" begin
    exact = recall(rtol=1e-13, atol=1e-14, gain=0.05).overlaps
    errors = [maximum(abs, recall(dt=dt, gain=0.05).overlaps - exact) for dt in (0.1, 0.05)]
    @test 3.7 < log2(errors[1] / errors[2]) < 4.5
    # between the steps the cubic has fourth-order error too
    times = collect(range(0, stop=12.0, length=52))
    fine = recall(rtol=1e-13, atol=1e-14, gain=0.05, times=times).overlaps
    errors = [maximum(abs, recall(dt=dt, gain=0.05, times=times).overlaps - fine) for dt in (0.1, 0.05)]
    @test 3.4 < log2(errors[1] / errors[2]) < 4.6
end

@testset "recall: input by pieces" begin
    # one memory, no transitions to speak of: a network without patterns' pull is a leaky integrator
    drive = zeros(4, 3)
    drive[:, 2] .= 2.0
    times = [0.0, 1.0, 2.0, 3.0, 4.0]
    states = zeros(8, 5, 1)
    reached, counts, control = zeros(1), zeros(Int64, 3, 1), zeros(Int64, 4)
    for dt in (0.0, 0.01)
        GC.@preserve control SK.memory_recall(
            SK.Control(pointer(control)), zeros(4, 1), zeros(1, 4), 0, [0.0 2.0; 1.0 1.0], Int64[], Int64[], Float64[],
            [1.0, 0.0, 5.0, 1.0, 0.0, 1.0], [0.0, 1.0, 2.5], drive, zeros(8, 1), times, 4.0, dt, 1e-10, 1e-12, 100000,
            states, reached, counts)
        top = 2 * (1 - exp(-1.5))
        @test states[1, :, 1] ≈ [0, 0, 2 * (1 - exp(-1)), top * exp(-0.5), top * exp(-1.5)] atol = 1e-8
    end
end

@testset "recall: the step limit leaves a partial result" begin
    r = recall(max_steps=20)
    @test 0 < r.reached[1] < 12
    @test sum(r.counts[1:2, 1]) == 20
    whole = recall()
    passed = count(t -> t <= r.reached[1], range(0, stop=12.0, length=25))
    @test r.states[:, 1:passed, 1] == whole.states[:, 1:passed, 1]
end

@testset "recall: cancelled before it starts" begin
    control = Int64[1, 0, 0, 0]
    states = zeros(4, 1, 1)
    GC.@preserve control @test_throws SK.Cancelled SK.memory_recall(
        SK.Control(pointer(control)), ones(1, 1), ones(1, 1), 1, [0.0 2.0; 1.0 1.0], Int64[], Int64[], Float64[],
        [1.0, 0.0, 5.0, 1.0, 0.0, 1.0], [0.0], zeros(1, 1), zeros(4, 1), [1.0], 1.0, 0.0, 1e-6, 1e-9, 100, states,
        zeros(1), zeros(Int64, 3, 1))
end
