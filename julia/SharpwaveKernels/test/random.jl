# The counter-based generator: known answers, the product it is made of, floats in the open interval.

const SK = SharpwaveKernels

# (counter, key, output), words from the lowest on. The outputs are NumPy 2.4.6's, raw, from
#     np.random.Philox(counter=c, key=key).random_raw(4)
# where c is one less than the counter as a number of 256 bits: NumPy adds one before its first output. The first three are also
# in the authors' own list of known answers (Random123, kat_vectors, philox4x64 10).
const ALL = typemax(UInt64)
const PHILOX_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b)),
    ((ALL, ALL, ALL, ALL), (ALL, ALL),
     (0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0)),
    ((0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89), (0x452821e638d01377, 0xbe5466cf34e90c6c),
     (0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6)),
    # one word is 1: which one matters
    ((1, 0, 0, 0), (0, 0), (0x02f4ba6408e4d89b, 0x3dd62b0b9ca8c5b2, 0x1c8667a55d902e79, 0x907d7a052fd5b4dc)),
    ((0, 1, 0, 0), (0, 0), (0xe85facf8b3b067d6, 0xfdbc6a61c123b5f8, 0x349bde9a4b8d60c1, 0x39212690df8b178a)),
    ((0, 0, 1, 0), (0, 0), (0x19bf6be67257df0b, 0xece365a9064c1231, 0x236f185079e2a282, 0xd6338e39fdfea88a)),
    ((0, 0, 0, 1), (0, 0), (0x0bcebd58167d0f31, 0x7834e0e0d3a96d3f, 0x956b8d281546d14f, 0xa7028ec2003149ea)),
    ((0, 0, 0, 0), (1, 0), (0xcb7ea744cf19bb4c, 0xa34eacbe1377d650, 0xe8dbce5eb7b8301f, 0x344790248cacfe2f)),
    ((0, 0, 0, 0), (0, 1), (0x9c6b270905f0b111, 0xdee74de5c22fba4e, 0x0fbe587afae091f8, 0xd5ad8fe3bd272f76))]

"Bytes that a hundred draws allocate, after a first one."
function bytes_of_words()
    words(count) = sum(SK.unit_interval(SK.random_words(1, 2, 3, 4, block)[1]) for block in 1:count)
    words(1)
    return @allocated words(100)
end

@testset "Philox: known answers" begin
    for (counter, key, output) in PHILOX_ANSWERS
        @test SK.philox(UInt64.(counter), UInt64.(key)) == output
    end
end

@testset "Philox: a place is block, step and example under seed and stream" begin
    # NumPy's, as above, for the counter (block, step, example, 0) and the key (seed, stream)
    @test SK.random_words(2024, 7, 1, 2, 3) ==
          (0x537f1dae0151e52b, 0xfd86b782d6eae724, 0xe653155e718e570a, 0xf4a9fdf99e3b4d18)
    @test SK.random_words(-1, 3, 59999, 250, 5) ==
          (0x430d40e8edd38488, 0x9a947430d297ce21, 0x158d72517a3cf2e2, 0x54ca12e7229e69c9)
    @test bytes_of_words() == 0
end

@testset "high and low word of a product" begin
    edges = (0x0000000000000000, 0x0000000000000001, 0x0000000000000002, 0x00000000ffffffff, 0x0000000100000000,
             0x0000000100000001, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe, ALL, SK.PHILOX_MULTIPLIERS...)
    for a in edges, b in edges
        high, low = SK.high_low(a, b)
        @test high isa UInt64 && low isa UInt64
        @test big(high) * big(2)^64 + low == big(a) * big(b)
        @test (UInt128(high) << 64) | low == widemul(a, b)
    end
end

@testset "floats in the open interval" begin
    # -log(u) and log(1 - u) have to be finite and positive, also for the extreme words
    for word in (UInt64(0), UInt64(1), ALL >> 1, ALL >> 1 + 1, ALL - 1, ALL)
        @test 0 < SK.unit_interval(word) < 1
    end
    @test SK.unit_interval(UInt64(0)) + SK.unit_interval(ALL) == 1      # symmetric
    ordered = [SK.unit_interval(word) for word in UInt64(0):(ALL >> 10):ALL]
    @test issorted(ordered) && allunique(ordered)
    # of n draws the mean of u is 1/2 and that of u^2 is 1/3, with standard errors sqrt(1/12 n) and sqrt(4/45 n)
    n = 40_000
    u = [SK.unit_interval(word) for block in 1:n÷4 for word in SK.random_words(0, 0, 0, 0, block)]
    @test abs(sum(u) / n - 1 / 2) < 4 * sqrt(1 / 12n)
    @test abs(sum(abs2, u) / n - 1 / 3) < 4 * sqrt(4 / 45n)
end

@testset "the logarithm of numbers in (0, 1) to one unit in the last place" begin
    ends = [2.0^-53, prevfloat(1.0), 0.5, nextfloat(0.5), prevfloat(0.5), sqrt(0.5), prevfloat(sqrt(0.5)), nextfloat(sqrt(0.5))]
    words = [SharpwaveKernels.random_words(1, 2, 3, 4, block)[1] for block in 1:2000]
    near_one = [1 - 2.0^-k for k in 1:52]
    for x in [ends; near_one; SharpwaveKernels.unit_interval.(words); [2.0^-k * 1.1 for k in 1:52]]
        exact = log(big(x))
        @test abs(SharpwaveKernels.fast_log(x) - exact) <= eps(Float64(exact))
    end
end
