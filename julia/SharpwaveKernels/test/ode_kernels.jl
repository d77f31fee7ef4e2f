# The kernels: buffers that fit, buffers that do not, arguments that are wrong.

"u' = -p u with the event u = 0.5, as a compiled program."
function decay_handle()
    code = [1 2 12 14 14 0 0 11; 0 0 0 2 0 0 1 1; 0 0 1 0 0 0 0 6; 0 0 0 0 0 0 0 0]
    program = SK.EquationProgram(code, [0.0, 0.5], [3], [0], [0], [4], [5], Int[], Int[], Int[], Int[], [7], Int[], [1])
    return SK.register_program(program)
end

function run_kernel(; batch = 3, rtol = 1e-6, t_eval = [0.5, 1.0], method = 1, dt = 0.0, save = 2, key = 1, events = [0; 0])
    y, t_end, outcomes = zeros(1, length(t_eval), batch), zeros(batch), zeros(Int64, 8, batch)
    GC.@preserve CONTROL SK.integrate(SK.Control(pointer(CONTROL)), decay_handle(), method, ones(1, batch),
        reshape(collect(1.0:batch), 1, batch), 0.0, 1.0, t_eval, rtol, [1e-9], 0.0, Inf, dt, 1000, reshape(events, 2, :), save,
        key, y, t_end, outcomes)
    return (y = y, t_end = t_end, outcomes = outcomes)
end

function fetch(outcomes, key; steps = sum(outcomes[7, :]), pieces = sum(outcomes[7, :] .- 1), found = sum(outcomes[8, :]))
    kept = (zeros(steps), zeros(1, steps), zeros(1, 5, pieces), zeros(found), zeros(Int64, found), zeros(1, found))
    GC.@preserve CONTROL SK.fetch_result(SK.Control(pointer(CONTROL)), key, kept...)
    return kept
end

@testset "integrate" begin
    r = run_kernel()
    @test r.outcomes[1, :] == [0, 0, 0]
    @test r.t_end == [1.0, 1.0, 1.0]
    @test r.y[1, :, :] ≈ exp.(-[0.5, 1.0] .* (1:3)') rtol = 1e-5
    @test r.outcomes[8, :] == [1, 1, 1]
    kept = fetch(r.outcomes, 1)
    @test kept[4] ≈ log(2) ./ (1:3) rtol = 1e-5
    @test kept[5] == [0, 0, 0]                          # counted from 0, as the caller does
    starts = cumsum([1; r.outcomes[7, :]])
    @test kept[1][starts[1:3]] == [0.0, 0.0, 0.0]
    @test kept[1][starts[2:4].-1] == [1.0, 1.0, 1.0]
end

@testset "what is kept is fetched once, into room of its size" begin
    r = run_kernel(key = 7)
    for wrong in ((steps = 2,), (pieces = 1,), (found = 9,))
        @test_throws SK.BadArgument fetch(r.outcomes, 7; wrong...)
    end
    @test maximum(abs, fetch(r.outcomes, 7)[1]) == 1.0
    @test_throws SK.BadArgument fetch(r.outcomes, 7)
end

@testset "arguments at fault are named" begin
    for (settings, name) in (((rtol = 0.0,), "rtol"), ((t_eval = [1.0, 0.5],), "t_eval"), ((t_eval = [2.0],), "t_eval"),
                             ((method = 9,), "method"), ((method = 3,), "dt"), ((dt = -1.0,), "dt"), ((save = 5,), "save"))
        message = try
            run_kernel(; settings...)
            "no error"
        catch e
            sprint(showerror, e)
        end
        @test startswith(message, name)
    end
end
