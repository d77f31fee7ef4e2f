# Dense products whose every entry is one fixed sum, whatever the number of columns, the split of rows or the threads:
# so that a batch gives bit for bit what its parts give. (A BLAS picks its kernel by shape.)

const ROW_BLOCK = 512       # rows of a panel of A: with DEPTH_BLOCK columns it stays in a second-level cache
const DEPTH_BLOCK = 128     # a multiple of 4, so that the order of the sum does not depend on where a block ends

"""
    multiply!(C, A, B, columns, threaded)

`C[:, 1:columns] = A * B[:, 1:columns]`. Entry `(i, j)` is the sum over `k` in rising order by fused multiply-adds, starting from
zero. With `threaded`, rows are split among Julia's threads; the result is the same.
"""
function multiply!(C::AbstractMatrix{Float64}, A::Matrix{Float64}, B::AbstractMatrix{Float64}, columns::Int, threaded::Bool)
    rows = size(A, 1)
    if threaded && Threads.nthreads() > 1
        share = cld(cld(rows, Threads.nthreads()), 8) * 8
        @sync for first in 1:share:rows
            Threads.@spawn multiply_rows!(C, A, B, columns, first, min(first + share - 1, rows))
        end
    else
        multiply_rows!(C, A, B, columns, 1, rows)
    end
    return nothing
end

function multiply_rows!(C, A, B, columns::Int, first::Int, last::Int)
    for j in 1:columns
        @inbounds @simd for i in first:last
            C[i, j] = 0.0
        end
    end
    add_rows!(C, A, B, columns, first, last)
end

"`C[first:last, 1:columns] += A[first:last, :] * B[:, 1:columns]`; the terms of each sum are added to C one after the other."
function add_rows!(C, A, B, columns::Int, first::Int, last::Int)
    depth = size(A, 2)
    for i0 in first:ROW_BLOCK:last
        i1 = min(i0 + ROW_BLOCK - 1, last)
        for k0 in 1:DEPTH_BLOCK:depth
            k1 = min(k0 + DEPTH_BLOCK - 1, depth)
            j = 1
            while j + 3 <= columns
                panel4!(C, A, B, i0, i1, k0, k1, j)
                j += 4
            end
            if j + 1 <= columns
                panel2!(C, A, B, i0, i1, k0, k1, j)
                j += 2
            end
            j <= columns && panel1!(C, A, B, i0, i1, k0, k1, j)
        end
    end
    return nothing
end

# Four terms of the sum at once, in rising order: one load and one store of C for four multiply-adds.
@inline chain(c, a1, a2, a3, a4, b1, b2, b3, b4) = muladd(a4, b4, muladd(a3, b3, muladd(a2, b2, muladd(a1, b1, c))))

function panel4!(C, A, B, i0::Int, i1::Int, k0::Int, k1::Int, j::Int)
    k = k0
    @inbounds while k + 3 <= k1
        b11, b12, b13, b14 = B[k, j], B[k, j + 1], B[k, j + 2], B[k, j + 3]
        b21, b22, b23, b24 = B[k + 1, j], B[k + 1, j + 1], B[k + 1, j + 2], B[k + 1, j + 3]
        b31, b32, b33, b34 = B[k + 2, j], B[k + 2, j + 1], B[k + 2, j + 2], B[k + 2, j + 3]
        b41, b42, b43, b44 = B[k + 3, j], B[k + 3, j + 1], B[k + 3, j + 2], B[k + 3, j + 3]
        @simd ivdep for i in i0:i1
            a1, a2, a3, a4 = A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3]
            C[i, j] = chain(C[i, j], a1, a2, a3, a4, b11, b21, b31, b41)
            C[i, j + 1] = chain(C[i, j + 1], a1, a2, a3, a4, b12, b22, b32, b42)
            C[i, j + 2] = chain(C[i, j + 2], a1, a2, a3, a4, b13, b23, b33, b43)
            C[i, j + 3] = chain(C[i, j + 3], a1, a2, a3, a4, b14, b24, b34, b44)
        end
        k += 4
    end
    @inbounds while k <= k1
        b1, b2, b3, b4 = B[k, j], B[k, j + 1], B[k, j + 2], B[k, j + 3]
        @simd ivdep for i in i0:i1
            a = A[i, k]
            C[i, j] = muladd(a, b1, C[i, j])
            C[i, j + 1] = muladd(a, b2, C[i, j + 1])
            C[i, j + 2] = muladd(a, b3, C[i, j + 2])
            C[i, j + 3] = muladd(a, b4, C[i, j + 3])
        end
        k += 1
    end
    return nothing
end

function panel2!(C, A, B, i0::Int, i1::Int, k0::Int, k1::Int, j::Int)
    k = k0
    @inbounds while k + 3 <= k1
        b11, b12, b21, b22 = B[k, j], B[k, j + 1], B[k + 1, j], B[k + 1, j + 1]
        b31, b32, b41, b42 = B[k + 2, j], B[k + 2, j + 1], B[k + 3, j], B[k + 3, j + 1]
        @simd ivdep for i in i0:i1
            a1, a2, a3, a4 = A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3]
            C[i, j] = chain(C[i, j], a1, a2, a3, a4, b11, b21, b31, b41)
            C[i, j + 1] = chain(C[i, j + 1], a1, a2, a3, a4, b12, b22, b32, b42)
        end
        k += 4
    end
    @inbounds while k <= k1
        b1, b2 = B[k, j], B[k, j + 1]
        @simd ivdep for i in i0:i1
            a = A[i, k]
            C[i, j] = muladd(a, b1, C[i, j])
            C[i, j + 1] = muladd(a, b2, C[i, j + 1])
        end
        k += 1
    end
    return nothing
end

function panel1!(C, A, B, i0::Int, i1::Int, k0::Int, k1::Int, j::Int)
    k = k0
    @inbounds while k + 3 <= k1
        b1, b2, b3, b4 = B[k, j], B[k + 1, j], B[k + 2, j], B[k + 3, j]
        @simd ivdep for i in i0:i1
            C[i, j] = chain(C[i, j], A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3], b1, b2, b3, b4)
        end
        k += 4
    end
    @inbounds while k <= k1
        b = B[k, j]
        @simd ivdep for i in i0:i1
            C[i, j] = muladd(A[i, k], b, C[i, j])
        end
        k += 1
    end
    return nothing
end
