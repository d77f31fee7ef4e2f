# The stiff problems: published end points, and a step loop that does not allocate.

@testset "end points of $name" for name in sort(collect(keys(STIFF)))
    r = STIFF[name]
    result = solve(r.system, SK.Rodas5P, r.y0, 0.0, r.t1; rtol = 1e-10, atol = r.atol * 1e-10)
    @test result.status[1] == SK.REACHED_END
    @test maximum(abs, (result.y_end[:, 1] - r.y1) ./ r.y1) < 1e-8
    @test result.t_end[1] == r.t1
end

@testset "an explicit method on HIRES" begin
    r = STIFF["HIRES"]
    result = solve(r.system, SK.Tsit5, r.y0, 0.0, r.t1; rtol = 1e-9, atol = 1e-13)
    @test maximum(abs, (result.y_end[:, 1] - r.y1) ./ r.y1) < 1e-7
end

@testset "more equations than the solver is compiled for" begin
    # copies of HIRES side by side: each must come out as one alone does
    r = STIFF["HIRES"]
    for copies in (3, 7)
        n = 8 * copies
        part(v, k) = view(v, 8k-7:8k)
        rhs!(du, u, p, t, lags) = foreach(k -> hires_rhs!(part(du, k), part(u, k), p, t, lags), 1:copies)
        jac!(J, u, p, t, lags) =
            (fill!(J, 0.0); foreach(k -> hires_jac!(view(J, 8k-7:8k, 8k-7:8k), part(u, k), p, t, lags), 1:copies))
        system = SK.System(n = n, rhs! = rhs!, jac! = jac!, tgrad! = no_tgrad!)
        result = solve(system, SK.Rodas5P, repeat(r.y0, copies), 0.0, r.t1; rtol = 1e-8, atol = 1e-12)
        @test maximum(abs, (reshape(result.y_end, 8, :) .- r.y1) ./ r.y1) < 1e-6
    end
end

"Bytes that the step loop allocates, after a first run has compiled it."
function bytes_in_loop(system, ::Type{M}, y0, t1; dt = 0.0, t_eval = Float64[]) where {M}
    plan = SK.checked_plan(0.0, t1, t_eval, 1e-6, fill(1e-9, system.n), 0.0, Inf, dt, 10^6, Int[], Int[], 0)
    m = M(system.n)
    x = SK.Trajectory(system, SK.order(m), SK.degree(m))
    out = SK.Outcome(zeros(system.n, length(t_eval), 1), 1, SK.Record(), SK.EventLog(), Threads.Atomic{Int}(0))
    function prepare()
        SK.start!(x, system, plan, out, reshape(y0, :, 1), zeros(0, 1), 1)
        SK.derivative!(x.slope, x, system, x.u, x.t)
        x.has_slope = true
        SK.Progress(SK.RUNNING, dt > 0 ? dt : 1e-6, 0.0, false, 1, 0.0, 0, 0, 0)
    end
    control = SK.Control(pointer(CONTROL))
    c = prepare()
    SK.run_steps!(out, x, m, system, plan, c, control)
    c = prepare()
    bytes = @allocated SK.run_steps!(out, x, m, system, plan, c, control)
    @test c.status == SK.REACHED_END && x.accepted > 3
    return bytes
end

@testset "the step loop does not allocate" begin
    GC.@preserve CONTROL for name in sort(collect(keys(STIFF))), t_eval in (Float64[], collect(range(0.0, stop = 0.01, length = 7)))
        r = STIFF[name]
        n = r.system.n
        @test bytes_in_loop(r.system, SK.Rodas5P{n}, r.y0, r.t1; t_eval = t_eval) == 0
        @test bytes_in_loop(r.system, SK.Tsit5{n}, r.y0, 0.01; t_eval = t_eval) == 0
        @test bytes_in_loop(r.system, SK.RungeKutta4{n}, r.y0, 0.01; dt = 1e-7, t_eval = t_eval) == 0
        @test bytes_in_loop(r.system, SK.ExponentialEuler{n}, r.y0, 0.01; dt = 1e-4, t_eval = t_eval) == 0
    end
end
