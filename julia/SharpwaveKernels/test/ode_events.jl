# Events against analytic times.

const CIRCLE = SK.System(n = 2, nevents = 2, rhs! = (du, u, p, t, lags) -> (du[1] = u[2]; du[2] = -u[1]; nothing),
    jac! = (J, u, p, t, lags) -> (J[1, 1] = 0.0; J[1, 2] = 1.0; J[2, 1] = -1.0; J[2, 2] = 0.0; nothing), tgrad! = no_tgrad!,
    events! = (g, u, p, t, lags) -> (g[1] = u[1]; g[2] = u[2] - 0.5; nothing))
const METHODS_TO_TRY = ((SK.Tsit5, 0.0), (SK.Rodas5P, 0.0), (SK.RungeKutta4, 0.005))

found(r, j) = r.events[1].t[r.events[1].index .== j]

@testset "times, directions, states" begin
    for (method, dt) in METHODS_TO_TRY
        r = solve(CIRCLE, method, [0.0, 1.0], 0.0, 10.0; rtol = 1e-10, dt = dt)
        @test found(r, 1) ≈ [pi, 2pi, 3pi] atol = 1e-7         # not the zero at the start
        @test found(r, 2) ≈ [pi / 3, 5pi / 3, 7pi / 3] atol = 1e-7
        @test issorted(r.events[1].t)
        states = reshape(r.events[1].y, 2, :)
        @test maximum(abs, states[1, r.events[1].index .== 1]) < 1e-13      # on the dense output, to rounding
        r = solve(CIRCLE, method, [0.0, 1.0], 0.0, 10.0; rtol = 1e-10, dt = dt, direction = [1, -1])
        @test found(r, 1) ≈ [2pi] atol = 1e-7
        @test found(r, 2) ≈ [pi / 3, 7pi / 3] atol = 1e-7
    end
end

@testset "a terminal event ends the trajectory" begin
    for (method, dt) in METHODS_TO_TRY, (count, t_end) in ((1, pi), (3, 3pi))
        t_eval = [0.1, 3.0, 9.0, 9.9]
        r = solve(CIRCLE, method, [0.0, 1.0], 0.0, 10.0; rtol = 1e-10, dt = dt, terminal = [count, 0],
                  t_eval = t_eval, save = 2)
        @test r.status[1] == SK.STOPPED_BY_EVENT
        @test r.t_end[1] ≈ t_end atol = 1e-7
        @test abs(r.y_end[1]) < 1e-13
        @test isnan.(r.y[1, :, 1]) == (t_eval .> t_end)
        @test maximum(r.events[1].t) == r.t_end[1] == r.records[1].t[end]
        # the last polynomial covers its shortened step
        last = reshape(r.records[1].coefficients, 2, :, length(r.records[1].t) - 1)[:, :, end]
        @test vec(sum(last, dims = 2)) ≈ r.y_end[:, 1] atol = 1e-13
    end
end

@testset "a bouncing ball, started again at each bounce" begin
    ball = SK.System(n = 2, nevents = 1, rhs! = (du, u, p, t, lags) -> (du[1] = u[2]; du[2] = -9.81; nothing),
                     events! = (g, u, p, t, lags) -> (g[1] = u[1]; nothing))
    t, y = 0.0, [0.0, 5.0]
    for bounce in 1:6
        r = solve(ball, SK.Tsit5, y, t, 100.0; terminal = [1], direction = [-1])
        @test r.t_end[1] - t ≈ 2 * 5.0 * 0.8^(bounce - 1) / 9.81 rtol = 1e-9
        t, y = r.t_end[1], [0.0, -0.8 * r.y_end[2]]
    end
end

@testset "two crossings within one step, and backwards" begin
    # u = t^2 exactly: u - 0.26 falls below and above within the one step that covers [-1, 1]
    parabola = SK.System(n = 1, nevents = 1, rhs! = (du, u, p, t, lags) -> (du[1] = 2t; nothing),
                         events! = (g, u, p, t, lags) -> (g[1] = u[1] - 0.26; nothing))
    r = solve(parabola, SK.Tsit5, [1.0], -1.0, 1.0; dt = 2.0)
    @test r.statistics[1, 1] == 1
    @test r.events[1].t ≈ [-sqrt(0.26), sqrt(0.26)] atol = 1e-14
    r = solve(parabola, SK.Tsit5, [1.0], 1.0, -1.0; direction = [-1])
    @test r.events[1].t ≈ [sqrt(0.26)] atol = 1e-8          # falling as the integration goes
end
