# Networks of rates: steps allocate nothing, one step by hand, what a nudge teaches is the gradient, arguments that do not fit are refused.

const FW = SharpwaveKernels.Forward

"Two layers with two units each; the outputs drive the first, and so does what they lack."
function two_layers(T; error_rate = 0.5)
    weights = T[0.5, 1, -0.25, 0.25, 0.5, 0.25, -0.5, 1, 0.1, 0.2, 0.3, 0.4, 1, 0, 0, -1]     # from one unit to all, unit by unit
    FW.RateNetwork([2, 2, 2], [0 1 2 3; 1 2 1 1], [1.0, 0.5, 0.25, error_rate], [0.1, 0.2], weights, T[0.1, 0.2, 0, 0.1])
end

function rate_space(n::FW.RateNetwork{T}, examples) where {T}
    x = FW.Space(n, examples, 1)
    for j in 1:examples
        x.x[:, j] .= range(T(0.1), T(0.9), length=n.inputs) ./ j
        x.target[1+j%2, j] = 1
    end
    FW.set_constant!(n, x, 1:examples)
    FW.begin!((k, i, j) -> zero(T), x, 1:examples, 1)
    return x
end

"Bytes allocated by so many steps, free and nudged."
function rate_allocations(n, steps)
    x, s = rate_space(n, 5), FW.Settling(steps, steps, 0.5, 0.0, false)
    l, live = FW.Learning(0.5, true, true, true, 1e-3), FW.Learning(0.5, false, false, true, 1e-3)
    go() = (FW.settle!(n, x, s, 1, 1:5, steps, -1.0, x.constant, 1.0, 1, true); FW.compare!(n, x, s, l, 1, 1:5, 1); FW.compare!(n, x, s, live, 1, 1:5, 1))
    go()
    @allocated go()
end

@testset "rates, $T" for T in (Float32, Float64)
    n = two_layers(T)
    @test rate_allocations(n, 10) == rate_allocations(n, 200)

    # one step of half size from 0: half of the bias and of what the input brings
    x, s = rate_space(n, 1), FW.Settling(1, 1, 0.5, 0.0, false)
    FW.settle!(n, x, s, 1, 1:1, 1, -1.0, x.constant, 1.0, 1, true)
    @test x.state[1][1:2, 1] ≈ T[0.1 + 0.05 + 0.9 * -0.25, 0.2 + 0.1 + 0.9 * 0.25] / 2
    @test x.state[2][1:2, 1] ≈ T[0, 0.05]
    @test all(iszero, x.state[1][3:end, :])
    FW.settle!(n, x, s, 1, 1:1, 1, -1.0, x.constant, 1.0, 2, false)
    first = x.active[1][1][1:2, 1]
    @test first == clamp.(x.state[1][1:2, 1], 0, 1)

    # what outputs lack comes to the first layer with a step, and learns beside it
    x, s = rate_space(n, 1), FW.Settling(40, 1, 1.0, 0.0, false)
    _, turn = FW.settle!(n, x, s, 1, 1:1, 40, -1.0, x.constant, 1.0, 1, true)
    for k in 1:2
        x.free_state[k] .= x.state[k]
        x.free_active[k] .= x.active[turn][k]
    end
    lacking = x.target[1:2, 1] - x.free_active[2][1:2, 1]
    FW.nudge!(n, x, s, FW.Learning(0.25, true, false, false, 0.0), 1, 1:1, 0.25, turn)
    @test x.lacking[1:2, 1] ≈ lacking
    @test (x.state[1]-x.free_state[1])[1:2, 1] ≈ 0.5 * lacking .* T[1, -1] atol = 1e-3
    @test (x.state[2]-x.free_state[2])[1:2, 1] ≈ 0.5 * (x.target - x.free_state[2])[1:2, 1] atol = 1e-3

    # and what they lack at the moment: at rest, s = u with it
    s = FW.Settling(40, 200, 0.5, 0.0, false)
    FW.nudge!(n, x, s, FW.Learning(0.25, false, false, false, 0.0), 1, 1:1, 0.25, turn)
    left = x.target[1:2, 1] - x.state[2][1:2, 1]
    h, y = clamp.(x.state[1][1:2, 1], 0, 1), clamp.(x.state[2][1:2, 1], 0, 1)
    @test x.state[2][1:2, 1] ≈ n.biases[2][1:2] + n.weights[2][1:2, :] * h + 0.5 * left atol = 1e-4
    @test x.state[1][1:2, 1] ≈ x.constant[1][1:2, 1] + n.weights[3][1:2, :] * y + 0.5 * n.weights[4][1:2, :] * (x.target[1:2, 1] - y) atol = 1e-4
end

@testset "rates: a nudge teaches the gradient of the error" begin
    # one layer that drives itself little, a small beta: a weight changes by the negative gradient of the squared distance
    sizes, links, weights = [3, 2], reshape([0, 1], 2, 1), [0.2, 0.1, -0.1, 0.3, 0.25, 0.1]
    input, target = reshape([0.5, 0.25, 1.0], 3, 1), reshape([1.0, 0.0], 2, 1)
    learned, biases = copy(weights), [0.2, 0.1]
    out() = (zeros(Int, 1), zeros(1), zeros(1, 1), zeros(Int, 1), zeros(Int, 2))
    FW.learn_rates(SPIKING_CONTROL, [3, 3, 0, 1, 1, 0, 1], [1.0, 0.0, 0.0], sizes, links, [1.0], [0.0], zeros(Int, 1, 1), [1.0], [1e-3], input,
                   target, learned, biases, zeros(2, 0), out()...)
    W = reshape(weights, 2, 3)
    @test reshape(learned, 2, 3) - W ≈ 2 * (target - (W * input + [0.2, 0.1])) * input'

    bad(work) = try work(); "" catch e; sprint(showerror, e) end
    go(; sizes=sizes, links=links, weights=weights, order=zeros(Int, 1, 1), input=input, target=target, kept=zeros(2, 0), steps=3) =
        bad(() -> FW.learn_rates(SPIKING_CONTROL, [steps, 3, 0, 1, 1, 0, 1], [1.0, 0.0, 0.0], sizes, links, [1.0], [0.0], order, [1.0], [1e-3],
                                 input, target, copy(weights), [0.2, 0.1], kept, out()...))
    @test go() == ""
    @test occursin("an input and a layer at least", go(sizes=[3]))
    @test occursin("pairs of layers", go(links=reshape([0, 2], 2, 1)))
    @test occursin("pairs of layers", go(links=reshape([3, 1], 2, 1)))
    @test occursin("expected 6, got 5", go(weights=weights[1:5]))
    @test occursin("places from 0 to 0", go(order=ones(Int, 1, 1)))
    @test occursin("expected 3 of each example, got 2", go(input=input[1:2, :]))
    @test occursin("expected 2 of each example, got 1", go(target=target[1:1, :]))
    @test occursin("a row for each example", go(kept=zeros(2, 3)))
    @test occursin("expected steps, got 0", go(steps=0))
end
