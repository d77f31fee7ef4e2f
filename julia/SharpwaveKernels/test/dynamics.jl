@testset "dynamics" begin
    D = SharpwaveKernels.Dynamics

    @testset "linear systems of $n" for n in (1, 2, 7, 32, 65)
        A, b = randn(n, n), randn(n)
        x = D.solve!(copy(A), copy(b))
        @test norm(A * x - b) < 1e-9 * cond(A)
        P = Matrix{Float64}(I, n, n)[:, end:-1:1]       # no pivot on the diagonal
        @test D.solve!(copy(P), copy(b)) == P * b
    end

    @testset "a singular system has a large solution" begin
        x = D.solve!([1.0 1.0; 1.0 1.0], [1.0, 2.0])
        @test all(isfinite, x) && maximum(abs, x) > 1e10
    end

    function space(W)
        s = D.NewtonSpace(size(W, 1))
        copyto!(s.W, W)
        return s
    end

    @testset "a unit that excites itself" begin
        s, x = space(fill(2.0, 1, 1)), [0.7]
        @test D.newton!(x, s, [0.0], 1, 1e-14, 50) <= 1e-14
        @test x[1] ≈ tanh(2 * x[1]) && x[1] > 0.9
        h = [0.3]
        @test D.newton!(h, s, [0.0], 1, 0.0, 0) ≈ abs(tanh(0.6) - 0.3)
        @test h == [0.3]                                # no step, no move
    end

    @testset "the system is the derivative of $period steps" for period in (1, 2, 5)
        n = 4
        W, b, h = randn(n, n), randn(n), randn(n)
        s = space(W)
        D.system!(s, copy(h), b, period)
        F(x) = foldl((y, _) -> tanh.(W * y + b), 1:period; init=x)
        e = 1e-6
        J = hcat([(F(h + e * (1:n .== j)) - F(h - e * (1:n .== j))) / 2e for j in 1:n]...)
        @test s.product ≈ I - J atol = 1e-7
    end

    @testset "exponents of a rotation that shrinks" begin
        W = 0.5 * [cos(1.0) -sin(1.0); sin(1.0) cos(1.0)]
        s, total, h = space(W), zeros(2), zeros(2)
        D.exponents!(total, h, s, zeros(2, 2), zeros(2, 2), zeros(2), 3, 50)
        @test total ≈ [log(0.5), log(0.5)]
    end

    @testset "a direction that is lost" begin
        s, total = space([0.0 0.5; 0.0 0.0]), zeros(2)
        D.exponents!(total, zeros(2), s, zeros(2, 2), zeros(2, 2), zeros(2), 0, 3)
        @test total[1] == -Inf || total[2] == -Inf
    end

    @testset "no allocation" begin
        n = 8
        s, h, b = space(0.5 * randn(n, n)), zeros(n), zeros(n)
        total, Q, moved = zeros(n), zeros(n, n), zeros(n, n)
        searching(h, s, b) = @allocated SharpwaveKernels.Dynamics.newton!(h, s, b, 3, 1e-12, 20)
        growing(total, h, s, Q, moved, b) = @allocated SharpwaveKernels.Dynamics.exponents!(total, h, s, Q, moved, b, 2, 5)
        searching(copy(h), s, b), growing(total, copy(h), s, Q, moved, b)
        h .= 0.3
        @test searching(h, s, b) == 0
        @test growing(total, h, s, Q, moved, b) == 0
    end
end
