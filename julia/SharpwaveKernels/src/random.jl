# Random numbers by their place: the generator has no state, so that what is drawn depends neither on threads nor on how a batch
# is split. Philox 4x64-10, J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).

const PHILOX_MULTIPLIERS = (0xd2e7470ee14c6c93, 0xca5a826395121157)
const PHILOX_WEYL = (0x9e3779b97f4a7c15, 0xbb67ae8584caa73b)

@inline function high_low(a::UInt64, b::UInt64)
    product = widemul(a, b)
    return (product >> 64) % UInt64, product % UInt64
end

"Four random words for a counter of four words and a key of two."
@inline function philox(counter::NTuple{4,UInt64}, key::NTuple{2,UInt64})
    c, k = counter, key
    for _ in 1:10
        high0, low0 = high_low(PHILOX_MULTIPLIERS[1], c[1])
        high1, low1 = high_low(PHILOX_MULTIPLIERS[2], c[3])
        c = (high1 ⊻ c[2] ⊻ k[1], low1, high0 ⊻ c[4] ⊻ k[2], low0)
        k = (k[1] + PHILOX_WEYL[1], k[2] + PHILOX_WEYL[2])
    end
    return c
end

"A float in (0, 1) from a word: its upper 52 bits and a half, which a float holds exactly."
@inline unit_interval(word::UInt64) = (Float64(word >> 12) + 0.5) * 2.0^-52

"""
    random_words(seed, stream, example, step, block)

The four words of a place: `stream` stands for what the numbers are used for, `block` counts from 0.
"""
@inline random_words(seed::Int, stream::Int, example::Int, step::Int, block::Int) =
    philox((block % UInt64, step % UInt64, example % UInt64, 0x0000000000000000), (seed % UInt64, stream % UInt64))

"""
The logarithm of a normal positive number, to one unit in the last place. It has no branch, so that a loop of them becomes vector
instructions. With 1 + f the mantissa, from sqrt(1/2) to sqrt(2), log(1 + f) is a polynomial in (f / (2 + f))^2; method and
coefficients are those of fdlibm's log.
"""
@inline function fast_log(x::Float64)
    bits = reinterpret(UInt64, x)
    shifted = bits - 0x3fe6a09e667f3bcd + 0x3ff0000000000000
    exponent = reinterpret(Float64, (shifted >> 52) | 0x4330000000000000) - (2.0^52 + 1023)
    f = reinterpret(Float64, (shifted & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1
    s = f / (2 + f)
    z = s * s
    tail = z * (0.6666666666666735130 + z * (0.3999999999940941908 + z * (0.2857142874366239149 + z * (0.2222219843214978396 +
           z * (0.1818357216161805012 + z * (0.1531383769920937332 + z * 0.1479819860511658591))))))
    half = 0.5 * f * f
    return exponent * 6.93147180369123816490e-01 - ((half - (s * (half + tail) + exponent * 1.90821492927058770002e-10)) - f)
end
