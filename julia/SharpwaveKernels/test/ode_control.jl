# What is around the steps: direction, limits, partial results, batches, cancellation.

const OSCILLATOR = SK.System(n = 2, nparams = 1,
    rhs! = (du, u, p, t, lags) -> (du[1] = u[2]; du[2] = -p[1]^2 * u[1]; nothing),
    jac! = (J, u, p, t, lags) -> (J[1, 1] = 0.0; J[1, 2] = 1.0; J[2, 1] = -p[1]^2; J[2, 2] = 0.0; nothing),
    tgrad! = no_tgrad!)

@testset "backwards in time" begin
    for method in (SK.Tsit5, SK.Rodas5P)
        t_eval = [3.0, 2.5, 0.5, -1.0]
        r = solve(OSCILLATOR, method, [sin(3.0), cos(3.0)], 3.0, -1.0; parameters = ones(1, 1), rtol = 1e-10, t_eval = t_eval)
        @test r.y[1, :, 1] ≈ sin.(t_eval) atol = 1e-8
        @test r.t_end[1] == -1.0
    end
    r = solve(OSCILLATOR, SK.RungeKutta4, [0.0, 1.0], 0.0, -2.0; parameters = ones(1, 1), dt = 0.01)
    @test r.y_end[1] ≈ sin(-2.0) atol = 1e-8
end

@testset "largest step, first step, fixed grid" begin
    for method in (SK.Tsit5, SK.Rodas5P)
        r = solve(OSCILLATOR, method, [0.0, 1.0], 0.0, 5.0; parameters = ones(1, 1), max_step = 0.05,
                  first_step = 0.01, save = 1)
        steps = diff(r.records[1].t)
        @test steps[1] == 0.01
        @test maximum(steps) <= 0.05 * (1 + 1e-9)
    end
    r = solve(OSCILLATOR, SK.RungeKutta4, [0.0, 1.0], 0.0, 1.0; parameters = ones(1, 1), dt = 0.3, save = 1)
    @test r.records[1].t ≈ [0.0, 0.3, 0.6, 0.9, 1.0]
    r = solve(OSCILLATOR, SK.RungeKutta4, [0.0, 1.0], 0.0, 1.0; parameters = ones(1, 1), dt = 0.1, save = 1)
    @test length(r.records[1].t) == 11          # rounding does not add a step
end

@testset "dense output of kept steps" begin
    for (method, dt) in ((SK.Tsit5, 0.0), (SK.Rodas5P, 0.0), (SK.RungeKutta4, 0.01), (SK.ExponentialEuler, 0.01))
        t_eval = collect(range(0.0, stop = 4.0, length = 41))
        r = solve(OSCILLATOR, method, [0.0, 1.0], 0.0, 4.0; parameters = fill(2.0, 1, 1), rtol = 1e-8, dt = dt,
                  save = 2, t_eval = t_eval)
        k = r.records[1]
        coefficients = reshape(k.coefficients, 2, :, length(k.t) - 1)
        for (i, t) in enumerate(t_eval)
            s = clamp(searchsortedlast(k.t, t), 1, length(k.t) - 1)
            theta = (t - k.t[s]) / (k.t[s+1] - k.t[s])
            value = sum(coefficients[:, j, s] .* theta^(j - 1) for j in 1:size(coefficients, 2))
            @test value ≈ r.y[:, i, 1] atol = 1e-13
        end
        @test reshape(k.y, 2, :)[:, end] == r.y_end[:, 1]
    end
end

@testset "the step limit leaves a partial result" begin
    r = STIFF["ROBER"]
    t_eval = [1e-3, 1e10]
    whole = solve(r.system, SK.Rodas5P, r.y0, 0.0, r.t1; t_eval = t_eval)
    part = solve(r.system, SK.Rodas5P, r.y0, 0.0, r.t1; t_eval = t_eval, max_steps = 50)
    @test part.status[1] == SK.STEP_LIMIT
    @test sum(part.statistics[1:2, 1]) == 50
    @test 1e-3 < part.t_end[1] < 1e10
    @test part.y[:, 1, 1] == whole.y[:, 1, 1]
    @test all(isnan, part.y[:, 2, 1])
end

@testset "what cannot go on says so" begin
    # u' = u^2 ends at t = 1
    blowup = SK.System(n = 1, rhs! = (du, u, p, t, lags) -> (du[1] = u[1]^2; nothing),
                       jac! = (J, u, p, t, lags) -> (J[1, 1] = 2 * u[1]; nothing), tgrad! = no_tgrad!)
    for method in (SK.Tsit5, SK.Rodas5P)
        r = solve(blowup, method, [1.0], 0.0, 2.0)
        @test r.status[1] == SK.STEP_TOO_SMALL
        @test r.t_end[1] ≈ 1 atol = 1e-4
    end
    @test solve(blowup, SK.RungeKutta4, [1.0], 0.0, 2.0; dt = 0.01).status[1] == SK.NOT_FINITE
    @test solve(blowup, SK.Tsit5, [1e200], 0.0, 2.0).status[1] == SK.NOT_FINITE
    # a domain that ends is approached, not crossed: u = (1 - t/2)^2, sqrt of a negative number is NaN
    root = SK.System(n = 1, rhs! = (du, u, p, t, lags) -> (du[1] = u[1] < 0 ? NaN : -sqrt(u[1]); nothing))
    r = solve(root, SK.Tsit5, [1.0], 0.0, 1.9; rtol = 1e-9)
    @test r.status[1] == SK.REACHED_END
    @test r.y_end[1] ≈ 0.05^2 atol = 1e-8
    @test solve(root, SK.Tsit5, [1.0], 0.0, 0.0).status[1] == SK.REACHED_END
end

@testset "a batch is its trajectories, bit for bit" begin
    frequencies = reshape(exp.(range(-1, stop = 3, length = 23)), 1, :)
    y0 = [zeros(1, 23); ones(1, 23)]
    t_eval = [0.5, 2.0]
    for (method, dt) in ((SK.Tsit5, 0.0), (SK.Rodas5P, 0.0), (SK.RungeKutta4, 0.01), (SK.ExponentialEuler, 0.01))
        all = solve(OSCILLATOR, method, y0, 0.0, 3.0; parameters = frequencies, t_eval = t_eval, dt = dt)
        for b in (1, 11, 23)
            one = solve(OSCILLATOR, method, y0[:, b:b], 0.0, 3.0; parameters = frequencies[:, b:b], t_eval = t_eval, dt = dt)
            @test one.y[:, :, 1] == all.y[:, :, b]
            @test one.statistics[:, 1] == all.statistics[:, b]
        end
        reversed = solve(OSCILLATOR, method, y0, 0.0, 3.0; parameters = frequencies[:, end:-1:1], t_eval = t_eval, dt = dt)
        @test reversed.y[:, :, end:-1:1] == all.y
    end
end

@testset "cancellation" begin
    asked = Int64[1, 0, 0, 0]
    @test_throws SK.Cancelled solve(OSCILLATOR, SK.Tsit5, [0.0, 1.0], 0.0, 1.0; parameters = ones(1, 1), control = asked)
    # asked for by the system itself, in the middle
    control = zeros(Int64, 4)
    calls = Ref(0)
    stop_at_5000!(du, u, p, t, lags) = (calls[] += 1; calls[] == 5000 && (control[1] = 1); du[1] = 1.0; nothing)
    stopping = SK.System(n = 1, rhs! = stop_at_5000!)
    @test_throws SK.Cancelled solve(stopping, SK.Tsit5, [0.0], 0.0, 1e9; max_step = 1.0, max_steps = 10^9, control = control)
    @test calls[] < 5000 + 6 * 130
end

@testset "progress reaches its total" begin
    control, seen = zeros(Int64, 4), Int[]
    watched = SK.System(n = 1, rhs! = (du, u, p, t, lags) -> (push!(seen, control[2]); du[1] = 1.0; nothing))
    solve(watched, SK.Tsit5, [0.0], 0.0, 1000.0; max_step = 1.0, control = control)
    @test control[2] == control[3] == 1000
    @test length(unique(seen)) > 5
end
