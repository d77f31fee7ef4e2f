# Programs compiled to functions: values, no allocation, refusals. Random programs are tested from the caller's side.

const SK = SharpwaveKernels

"x' = -a x + sin(t) x(t - a), y' = x y, event x - y, history (t, a); values count from 0."
function delay_program(; changes...)
    rows = [(1, 0, 0, 0), (2, 0, 0, 0), (12, 0, 1, 0), (4, 0, 0, 0), (50, 3, 0, 0), (3, 0, 0, 0), (12, 4, 5, 0),
            (11, 6, 2, 0), (2, 1, 0, 0), (12, 1, 8, 0), (14, 0, 0, 0), (51, 3, 0, 0), (12, 11, 5, 0), (0, 0, 0, 0),
            (11, 3, 0, 0), (11, 1, 8, 0)]
    fields = (code = Int[row[k] for k in 1:4, row in rows], constants = [0.0], rhs = [7, 9], jac_rows = [0, 1, 1],
              jac_cols = [0, 0, 1], jac_values = [10, 8, 1], tgrad = [12, 13], lag_variables = [0], lag_delays = [0],
              delay_arguments = [14], delay_constant = [1], events = [15], history = [3, 0], parameters = [1])
    return SK.EquationProgram(values(merge(fields, values(changes)))...)
end

"Bytes that a hundred calls of each function allocate, after a first one."
function bytes_of_calls(s, du, J, u, p, lags, a, g)
    calls(count) = for _ in 1:count
        s.rhs!(du, u, p, 0.5, lags)
        s.jac!(J, u, p, 0.5, lags)
        s.tgrad!(du, u, p, 0.5, lags)
        s.arguments!(a, p, 0.5)
        s.events!(g, u, p, 0.5, lags)
        s.history!(du, p, 0.5)
    end
    calls(1)
    return @allocated calls(100)
end

@testset "expressions" begin
    s = SK.lookup(SK.register_program(delay_program()))
    u, p, lags, t = [2.0, 3.0], [0.25], [7.0], 0.5
    du, J, a, g = fill(9.0, 2), fill(9.0, 2, 2), [9.0], [9.0]
    Base.invokelatest(s.rhs!, du, u, p, t, lags)
    @test du == [sin(t) * 7 - 0.5, 6]
    Base.invokelatest(s.jac!, J, u, p, t, lags)
    @test J == [-0.25 0; 3 2]
    Base.invokelatest(s.tgrad!, du, u, p, t, lags)
    @test du == [cos(t) * 7, 0]
    Base.invokelatest(s.arguments!, a, p, t)
    @test a == [0.25]
    Base.invokelatest(s.events!, g, u, p, t, lags)
    @test g == [-1]
    Base.invokelatest(s.history!, du, p, t)
    @test du == [0.5, 0.25]
    @test Base.invokelatest(bytes_of_calls, s, du, J, u, p, lags, a, g) == 0

    @test SK.register_program(delay_program()) == SK.register_program(delay_program())
    @test SK.lookup(SK.register_program(delay_program(history = Int[]))).history! === nothing
    @test_throws SK.BadArgument SK.register_program(delay_program(rhs = [7, 16]))
    @test_throws SK.BadArgument SK.register_program(delay_program(history = [3]))
    @test_throws SK.BadArgument SK.lookup(0)
end
