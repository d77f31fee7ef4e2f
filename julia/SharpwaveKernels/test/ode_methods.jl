# The methods: coefficients, orders of the steps and of the dense output, stiff decay, exactness on linear systems.

"Rows of one more number each as a square matrix, zero on and above its diagonal; rows that are missing are zero."
lower(rows, n) = [1 < i <= length(rows) + 1 && j <= length(rows[i-1]) ? rows[i-1][j] : 0.0 for i in 1:n, j in 1:n]

@testset "Tsit5: order conditions" begin
    A, c, b = lower(SK.TSIT5_STAGES, 7), collect(SK.TSIT5_NODES), [SK.TSIT5_STAGES[6]..., 0.0]
    @test vec(sum(A, dims = 2)) ≈ c atol = 1e-14
    ladder = ((c .^ 0, 1), (c, 1 / 2), (c .^ 2, 1 / 3), (A * c, 1 / 6), (c .^ 3, 1 / 4), (c .* (A * c), 1 / 8), (A * c .^ 2, 1 / 12),
              (A * A * c, 1 / 24), (c .^ 4, 1 / 5), (c .^ 2 .* (A * c), 1 / 10), (c .* (A * c .^ 2), 1 / 15), ((A * c) .^ 2, 1 / 20),
              (c .* (A * A * c), 1 / 30), (A * c .^ 3, 1 / 20), (A * (c .* (A * c)), 1 / 40), (A * A * c .^ 2, 1 / 60),
              (A * A * A * c, 1 / 120))
    for (vector, value) in ladder
        @test dot(b, vector) ≈ value atol = 1e-14
    end
    embedded = b - collect(SK.TSIT5_ERROR)
    for (vector, value) in ladder[1:8]
        @test dot(embedded, vector) ≈ value atol = 1e-12
    end
    @test abs(dot(embedded, c .^ 4) - 1 / 5) > 1e-5      # of order 4, not 5: else there were no estimate
    for theta in (0.3, 0.8, 1.0)
        weights = sum(collect(SK.TSIT5_DENSE[k]) .* theta^k for k in 1:4)
        for (index, (vector, value)) in enumerate(ladder[1:8])
            power = (1, 2, 3, 3, 4, 4, 4, 4)[index]
            @test dot(weights, vector) ≈ value * theta^power atol = 1e-12
        end
    end
end

"Rodas5P in its original form: alpha, gamma and the weights."
function rodas5p_original()
    n, g = 8, SK.RODAS5P_GAMMA
    last = [SK.RODAS5P_STAGES[5]..., 1.0, 1.0]
    rows = (SK.RODAS5P_STAGES..., last[1:6], last)
    gamma = inv(I / g - lower(SK.RODAS5P_COUPLING, n))
    return lower(rows, n) * gamma, gamma, gamma' * [last..., 1.0], gamma' * [last..., 0.0]
end

@testset "Rodas5P: order conditions, stiff accuracy, damping" begin
    A, gamma, b, embedded = rodas5p_original()
    a, beta = vec(sum(A, dims = 2)), A + gamma
    ones8 = ones(8)
    @test a ≈ collect(SK.RODAS5P_NODES) atol = 1e-13
    @test vec(sum(gamma, dims = 2)) ≈ [SK.RODAS5P_TIME..., 0.0, 0.0, 0.0] atol = 1e-12
    e = beta * ones8
    # Hairer & Wanner II, table IV.7.1
    ladder = ((ones8, 1), (e, 1 / 2), (a .^ 2, 1 / 3), (beta * e, 1 / 6), (a .^ 3, 1 / 4), (a .* (A * e), 1 / 8),
              (beta * a .^ 2, 1 / 12), (beta * beta * e, 1 / 24))
    for (vector, value) in ladder
        @test dot(b, vector) ≈ value atol = 1e-11
        @test dot(embedded, vector) ≈ value atol = 1e-11
    end
    @test dot(b, a .^ 4) ≈ 1 / 5 atol = 1e-11
    @test dot(b, beta^4 * ones8) ≈ 1 / 120 atol = 1e-11
    @test beta[8, :] ≈ b atol = 1e-12
    @test abs(1 - dot(b, beta \ ones8)) < 1e-11             # R(infinity) of the method and of the embedded one
    @test abs(1 - dot(embedded, beta \ ones8)) < 1e-11
end

# u1' = u2 cos t, u2' = -u1 u2 - u1 sin t: not autonomous, not linear.
swing_rhs!(du, u, p, t, lags) = (du[1] = u[2] * cos(t); du[2] = -u[1] * u[2] - sin(t) * u[1]; nothing)
swing_jac!(J, u, p, t, lags) =
    (J[1, 1] = 0.0; J[1, 2] = cos(t); J[2, 1] = -u[2] - sin(t); J[2, 2] = -u[1]; nothing)
swing_tgrad!(dT, u, p, t, lags) = (dT[1] = -u[2] * sin(t); dT[2] = -cos(t) * u[1]; nothing)
const SWING = SK.System(n = 2, rhs! = swing_rhs!, jac! = swing_jac!, tgrad! = swing_tgrad!)

observed_order(errors) = log2(errors[end-1] / errors[end])

@testset "orders of steps and dense output" begin
    t_eval = collect(range(0.0, stop = 2.0, length = 64))
    exact = solve(SWING, SK.Tsit5, [1.0, 0.5], 0.0, 2.0; rtol = 1e-13, atol = 1e-15, t_eval = t_eval)
    for (method, order, dense) in ((SK.Tsit5, 5, 4), (SK.Rodas5P, 5, 4), (SK.RungeKutta4, 4, 4), (SK.ExponentialEuler, 2, 2))
        runs = [solve(SWING, method, [1.0, 0.5], 0.0, 2.0; dt = 2.0 / n, t_eval = t_eval) for n in (20, 40)]
        @test order - 0.3 < observed_order([maximum(abs, r.y_end - exact.y_end) for r in runs]) < order + 0.6
        @test observed_order([maximum(abs, r.y - exact.y) for r in runs]) > dense - 0.3
        @test runs[1].statistics[1, 1] == 20
    end
end

@testset "stiff decay" begin
    rhs!(du, u, p, t, lags) = (du[1] = -p[1] * (u[1] - cos(t)); nothing)
    jac!(J, u, p, t, lags) = (J[1, 1] = -p[1]; nothing)
    tgrad!(dT, u, p, t, lags) = (dT[1] = -p[1] * sin(t); nothing)
    system = SK.System(n = 1, nparams = 1, rhs! = rhs!, jac! = jac!, tgrad! = tgrad!)
    # R(infinity) = 0: of the distance to the slow solution one step leaves a part of the order of 1 / (h lambda)
    r = solve(system, SK.Rodas5P, [100.0], 0.0, 0.1; parameters = fill(1e9, 1, 1), dt = 0.1)
    @test abs(r.y_end[1] - cos(0.1)) < 100 * 100 / (0.1 * 1e9)
    r = solve(system, SK.Rodas5P, [100.0], 0.0, 10.0; parameters = fill(1e9, 1, 1), rtol = 1e-8, atol = 1e-8)
    @test abs(r.y_end[1] - cos(10.0)) < 1e-7
    @test r.statistics[1, 1] < 200
end

@testset "exponential Euler is exact where the equations are linear" begin
    # u' = A u + t b with a nilpotent and a stiff part: the exact solution by the exponential of the whole at once
    A, b = [-1.0 2.0 0.0; 0.0 -1.0 1e4; 0.0 0.0 -1e4], [1.0, 0.5, -2.0]
    rhs!(du, u, p, t, lags) = (mul!(du, A, u); du .+= t .* b; nothing)
    jac!(J, u, p, t, lags) = (copyto!(J, A); nothing)
    tgrad!(dT, u, p, t, lags) = (copyto!(dT, b); nothing)
    system = SK.System(n = 3, rhs! = rhs!, jac! = jac!, tgrad! = tgrad!)
    whole(t) = exp(t * [A b zeros(3); zeros(1, 4) 1; zeros(1, 5)])
    y0 = [1.0, -1.0, 2.0]
    for steps in (1, 7)
        r = solve(system, SK.ExponentialEuler, y0, 0.0, 1.5; dt = 1.5 / steps)
        @test r.y_end[:, 1] ≈ (whole(1.5) * [y0; 0.0; 1.0])[1:3] rtol = 1e-10
    end
end

@testset "the matrix exponential" begin
    for scale in (1e-3, 0.3, 5.0, 200.0)
        M = scale .* [-1.0 0.5 0.1; 0.2 -2.0 0.7; 0.0 0.3 -0.4]
        e = SK.ExponentialSpace(3)
        copyto!(e.A, M)
        k = SK.halvings(e.A)
        SK.exponential!(e, k)
        for _ in 1:k
            SK.square!(e)
        end
        @test e.result ≈ exp(M) rtol = 1e-11
    end
end

@testset "factors of every size" begin
    for (type, n) in ((SK.Factors{1}, 1), (SK.Factors{3}, 3), (SK.Factors{8}, 8), (SK.Factors{16}, 16), (SK.Factors{0}, 30),
                      (SK.Factors{0}, 60))
        r = Xorshift(n)
        J, b = draws(r, n, n), draws(r, n)
        n > 1 && (J[1, 1] = 1e-3)           # the first pivot is then zero
        f = type(n)
        SK.shifted!(f, 1e-3, J)
        SK.factorize!(f)
        x = copy(b)
        SK.solve!(f, x)
        W = 1e-3 * I - J
        @test norm(W * x - b) < 1e-12 * norm(W) * norm(x)
    end
end
