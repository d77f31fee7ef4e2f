# Delay equations: published values, orders, arguments that depend on time, delays shorter than a step.

no_jac!(J, u, p, t, lags) = (fill!(J, 0.0); nothing)
zero_history!(u, p, t) = (fill!(u, 0.0); nothing)

"One equation with one delay."
delay_equation(rhs!, argument, history!; jac! = no_jac!, constant = true) =
    SK.System(n = 1, rhs! = rhs!, jac! = jac!, tgrad! = no_tgrad!, arguments! = (a, p, t) -> (a[1] = argument(t); nothing),
              lag_variables = [1], lag_delays = [1], delay_constant = [constant], history! = history!)

negative!(du, u, p, t, lags) = (du[1] = -lags[1]; nothing)

@testset "u' = -u(t - 1) from a jump at the start" begin
    system = delay_equation(negative!, t -> t - 1, zero_history!)
    solution(t) = sum(k -> (-1.0)^k * (t - k)^k / factorial(k), 0:floor(Int, t))       # the method of steps
    for method in (SK.Tsit5, SK.Rodas5P)
        t_eval = collect(0.25:0.25:10)
        r = solve(system, method, [1.0], 0.0, 10.0; rtol = 1e-10, atol = 1e-12, t_eval = t_eval, save = 1)
        @test maximum(abs, r.y[1, :, 1] - solution.(t_eval)) < 1e-9
        @test r.y[1, t_eval .== 5, 1] ≈ [5 / 24] atol = 1e-12       # a polynomial that the method is exact for
        @test r.y_end[1] ≈ 19223 / 362880 atol = 1e-9
        @test issubset(1.0:5.0, r.records[1].t)
    end
end

@testset "two constant delays" begin
    # Reference: D. Wille & C. Baker, DELSOL, Appl. Numer. Math. 9 (1992) 223, example 1; digits by the method of steps.
    system = SK.System(n = 3, rhs! = (du, u, p, t, l) -> (du[1] = l[1]; du[2] = l[1] + l[2]; du[3] = u[2]; nothing),
        jac! = (J, u, p, t, l) -> (fill!(J, 0.0); J[3, 2] = 1.0; nothing), tgrad! = no_tgrad!,
        arguments! = (a, p, t) -> (a[1] = t - 1; a[2] = t - 0.2; nothing), lag_variables = [1, 2], lag_delays = [1, 2],
        delay_constant = [true, true], history! = (u, p, t) -> (fill!(u, 1.0); nothing))
    for method in (SK.Tsit5, SK.Rodas5P)
        r = solve(system, method, ones(3), 0.0, 5.0; rtol = 1e-11, atol = 1e-11)
        @test r.y_end[:, 1] ≈ [19.175, 176.42257844738032, 190.34420193607042] rtol = 1e-9
    end
end

@testset "Mackey-Glass" begin
    system = delay_equation((du, u, p, t, l) -> (du[1] = 0.2 * l[1] / (1 + l[1]^10) - 0.1 * u[1]; nothing), t -> t - 14,
                            (u, p, t) -> (u[1] = 0.5; nothing); jac! = (J, u, p, t, l) -> (J[1, 1] = -0.1; nothing))
    for method in (SK.Tsit5, SK.Rodas5P)
        r = solve(system, method, [0.5], 0.0, 500.0; rtol = 1e-10, atol = 1e-12)
        @test r.y_end[1] ≈ 1.010443111700142347784 atol = 1e-8
    end
end

@testset "order with delays" begin
    # y' = -y(t - pi/2) with history sin t stays sin t: smooth, so that the order shows
    system = delay_equation(negative!, t -> t - pi / 2, (u, p, t) -> (u[1] = sin(t); nothing))
    for (method, order, counts) in ((SK.Tsit5, 5, (32, 64)), (SK.Rodas5P, 5, (8, 16)), (SK.RungeKutta4, 4, (16, 32)),
                                    (SK.ExponentialEuler, 2, (16, 32)))
        errors = [abs(solve(system, method, [0.0], 0.0, 10.0; dt = pi / 2 / n).y_end[1] - sin(10.0)) for n in counts]
        @test order - 0.4 < observed_order(errors) < order + 0.8
    end
end

@testset "an argument that crosses breakpoints" begin
    # u' = -u(t^2/4 - 1): the argument passes the jump at 0 when t = 2; then u = 3 - t until it passes 2, at t = sqrt(12)
    system = delay_equation(negative!, t -> t^2 / 4 - 1, zero_history!; constant = false)
    for method in (SK.Tsit5, SK.Rodas5P)
        r = solve(system, method, [1.0], 0.0, 3.9; rtol = 1e-9, t_eval = [1.9, 2.5, 3.4], save = 1)
        @test r.y[1, :, 1] ≈ [1.0, 0.5, -0.4] atol = 1e-12
        @test minimum(abs.(r.records[1].t .- 2)) < 1e-14
        @test minimum(abs.(r.records[1].t .- sqrt(12))) < 1e-14
        # beyond, u' = -(3 - a(t)) = -(4 - t^2/4)
        @test r.y_end[1] ≈ 3 - sqrt(12) - 4 * (3.9 - sqrt(12)) + (3.9^3 - sqrt(12)^3) / 12 atol = 1e-9
    end
end

@testset "a delay that vanishes at the start" begin
    # u' = 1 - 2 u(t/2)^2, u(0) = 0: u = sin t
    system = delay_equation((du, u, p, t, l) -> (du[1] = 1 - 2 * l[1]^2; nothing), t -> t / 2,
                            (u, p, t) -> (u[1] = NaN; nothing); constant = false)
    for (method, tolerance) in ((SK.Tsit5, 1e-7), (SK.Rodas5P, 1e-7))
        r = solve(system, method, [0.0], 0.0, 10.0; rtol = 1e-10, atol = 1e-12)
        @test r.status[1] == SK.REACHED_END
        @test r.y_end[1] ≈ sin(10.0) atol = tolerance
    end
end

@testset "a delay much shorter than the steps" begin
    # u' = -u(t - tau): on the slow manifold u = e^(lambda t) with lambda = -e^(-lambda tau)
    tau = 1e-3
    lambda = -1.0
    for _ in 1:100
        lambda = -exp(-lambda * tau)
    end
    system = delay_equation(negative!, t -> t - tau, (u, p, t) -> (u[1] = exp(lambda * t); nothing))
    r = solve(system, SK.Tsit5, [1.0], 0.0, 5.0; rtol = 1e-8, atol = 1e-10)
    @test r.y_end[1] ≈ exp(5 * lambda) rtol = 1e-6
    @test r.statistics[1, 1] < 200              # not 5 / tau steps
end

@testset "backwards, with a history that lies ahead" begin
    # u' = u(t + pi/2) with u = sin t from 0 on stays sin t on the way to -5
    system = delay_equation((du, u, p, t, l) -> (du[1] = l[1]; nothing), t -> t + pi / 2, (u, p, t) -> (u[1] = sin(t); nothing))
    r = solve(system, SK.Tsit5, [0.0], 0.0, -5.0; rtol = 1e-10, atol = 1e-12)
    @test r.y_end[1] ≈ sin(-5.0) atol = 1e-8
end

@testset "an argument later than the present is refused" begin
    system = delay_equation(negative!, t -> t > 0.5 ? t + 1 : t - 1, zero_history!; constant = false)
    r = solve(system, SK.Tsit5, [1.0], 0.0, 2.0)
    @test r.status[1] == SK.ARGUMENT_AHEAD
    @test r.t_end[1] <= 0.5 + 1e-12
end

@testset "events and terminal events of a delay equation" begin
    # u = 1 - t until t = 1
    system = SK.System(n = 1, nevents = 2, rhs! = negative!, jac! = no_jac!, tgrad! = no_tgrad!,
        arguments! = (a, p, t) -> (a[1] = t - 1; nothing), lag_variables = [1], lag_delays = [1], delay_constant = [true],
        history! = (u, p, t) -> (u[1] = 1.0; nothing),
        events! = (g, u, p, t, l) -> (g[1] = u[1] - 0.25; g[2] = l[1] - 0.75; nothing))
    r = solve(system, SK.Tsit5, [1.0], 0.0, 1.5; rtol = 1e-9)
    @test r.events[1].t ≈ [0.75, 1.25] atol = 1e-12        # the second in the delayed value itself
    @test r.events[1].index == [1, 2]
end

@testset "delays in a batch" begin
    system = SK.System(n = 1, nparams = 1, rhs! = negative!, jac! = no_jac!, tgrad! = no_tgrad!,
        arguments! = (a, p, t) -> (a[1] = t - p[1]; nothing), lag_variables = [1], lag_delays = [1], delay_constant = [true],
        history! = (u, p, t) -> (u[1] = p[1] * t; nothing))
    lags = reshape(collect(0.3:0.1:1.5), 1, :)
    count = length(lags)
    all = solve(system, SK.Tsit5, ones(1, count), 0.0, 6.0; parameters = lags)
    for b in (1, 5, count)
        one = solve(system, SK.Tsit5, ones(1, 1), 0.0, 6.0; parameters = lags[:, b:b])
        @test one.y_end[:, 1] == all.y_end[:, b]
        @test one.statistics[:, 1] == all.statistics[:, b]
    end
end
