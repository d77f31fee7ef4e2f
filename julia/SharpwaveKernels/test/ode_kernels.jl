# The kernels: buffers that fit, buffers that do not, arguments that are wrong.

"u' = -p u with the event u = 0.5, as a compiled program."
function decay_handle()
    code = [1 2 12 14 14 0 0 11; 0 0 0 2 0 0 1 1; 0 0 1 0 0 0 0 6; 0 0 0 0 0 0 0 0]
    program = SK.EquationProgram(code, [0.0, 0.5], [3], [0], [0], [4], [5], Int[], Int[], Int[], Int[], [7], Int[], [1])
    return SK.register_program(program)
end

function run_kernel(; batch = 3, steps = 1000, pieces = 1000, found = 10, rtol = 1e-6, t_eval = [0.5, 1.0], method = 1,
                    dt = 0.0, save = 2)
    y, status, statistics = zeros(1, length(t_eval), batch), zeros(Int64, batch), zeros(Int64, 5, batch)
    step_counts, event_counts, kept = zeros(Int64, batch), zeros(Int64, batch), zeros(Int64, 1)
    buffers = (zeros(steps), zeros(1, steps), zeros(1, 5, pieces), zeros(found), zeros(Int64, found), zeros(1, found))
    GC.@preserve CONTROL SK.integrate(SK.Control(pointer(CONTROL)), decay_handle(), method, ones(1, batch),
        reshape(collect(1.0:batch), 1, batch), 0.0, 1.0, t_eval, rtol, [1e-9], 0.0, Inf, dt, 1000, [0], [0], save, y, status,
        statistics, zeros(batch), zeros(1, batch), step_counts, buffers[1:3]..., event_counts, buffers[4:6]..., kept)
    return (y = y, status = status, step_counts = step_counts, event_counts = event_counts, kept = kept[1], buffers = buffers)
end

@testset "integrate" begin
    r = run_kernel()
    @test r.kept == 0
    @test r.status == [0, 0, 0]
    @test r.y[1, :, :] ≈ exp.(-[0.5, 1.0] .* (1:3)') rtol = 1e-5
    @test r.event_counts == [1, 1, 1]
    @test r.buffers[4][1:3] ≈ log(2) ./ (1:3) rtol = 1e-5
    @test r.buffers[5][1:3] == [0, 0, 0]                # counted from 0, as the caller does
    starts = cumsum([1; r.step_counts])
    @test r.buffers[1][starts[1:3]] == [0.0, 0.0, 0.0]
    @test r.buffers[1][starts[2:4].-1] == [1.0, 1.0, 1.0]
end

@testset "what does not fit is fetched, once" begin
    whole = run_kernel()
    r = run_kernel(steps = 2, pieces = 1)
    @test r.kept > 0
    @test r.step_counts == whole.step_counts
    total = sum(r.step_counts)
    buffers = (zeros(total), zeros(1, total), zeros(1, 5, total - 3), zeros(3), zeros(Int64, 3), zeros(1, 3))
    control = SK.Control(pointer(CONTROL))
    @test_throws SK.BadArgument SK.fetch_result(control, r.kept, zeros(1), buffers[2:6]...)
    SK.fetch_result(control, r.kept, buffers...)
    @test buffers[1] == whole.buffers[1][1:total]
    @test vec(buffers[3]) == vec(whole.buffers[3])[1:length(buffers[3])]
    @test_throws SK.BadArgument SK.fetch_result(control, r.kept, buffers...)
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
