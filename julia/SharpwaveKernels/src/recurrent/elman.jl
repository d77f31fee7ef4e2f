# An Elman network, h(t) = s(W h(t-1) + U u(t)), y(t) = R h(t), and the gradient of its squared error. Matrices have a column an
# example and step; sums are those of multiply.jl, whose order is fixed, so that nothing depends on threads.

struct Tanh end
struct Relu end
struct Linear end

"""
The hyperbolic tangent to 3e-7, without a branch, so that a loop of it becomes vector instructions: the rational function of degree
13 over 6 that Eigen has for single precision.
"""
@inline function apply(::Tanh, given::Float32)
    x = min(max(given, -9.0f0), 9.0f0)
    z = x * x
    p = -2.76076847742355f-16
    for c in (2.00018790482477f-13, -8.60467152213735f-11, 5.12229709037114f-8, 1.48572235717979f-5, 6.37261928875436f-4, 4.89352455891786f-3)
        p = muladd(p, z, c)
    end
    q = muladd(muladd(muladd(1.19825839466702f-6, z, 1.18534705686654f-4), z, 2.26843463243900f-3), z, 4.89352518554385f-3)
    return x * p / q
end
@inline apply(::Relu, x::Float32) = max(x, 0.0f0)
@inline apply(::Linear, x::Float32) = x

"The slope, from the value."
@inline slope(::Tanh, h::Float32) = 1.0f0 - h * h
@inline slope(::Relu, h::Float32) = h > 0.0f0 ? 1.0f0 : 0.0f0
@inline slope(::Linear, ::Float32) = 1.0f0

nonlinearity(number) = number == 0 ? Tanh() : number == 1 ? Relu() : number == 2 ? Linear() :
                       throw(BadArgument("nonlinearity", "expected 0 (tanh), 1 (relu) or 2 (identity), got $number"))

struct ElmanSizes
    hidden::Int
    inputs::Int         # and outputs
    shown::Int
    examples::Int
end

parameters(s::ElmanSizes) = s.hidden * (s.hidden + 2 * s.inputs)

"Weights, or their gradients, as parts of a vector: recurrent (to, from), input (to, input), readout (output, from)."
struct ElmanWeights
    all::Vector{Float32}
    recurrent::Matrix{Float32}
    input::Matrix{Float32}
    readout::Matrix{Float32}
end
ElmanWeights(s::ElmanSizes) = ElmanWeights(zeros(Float32, parameters(s)), zeros(Float32, s.hidden, s.hidden), zeros(Float32, s.hidden, s.inputs),
                                           zeros(Float32, s.inputs, s.hidden))

"Matrices from the vector, whose parts are row-major, and back."
function unpack!(w::ElmanWeights)
    at = 0
    for part in (w.recurrent, w.input, w.readout), i in axes(part, 1), j in axes(part, 2)
        part[i, j] = w.all[at+=1]
    end
end

function pack!(w::ElmanWeights)
    at = 0
    for part in (w.recurrent, w.input, w.readout), i in axes(part, 1), j in axes(part, 2)
        w.all[at+=1] = part[i, j]
    end
end

"Room for one network: values of the task, hidden units, and gradients of what the nonlinearity is applied to."
struct ElmanSpace
    weights::ElmanWeights
    gradient::ElmanWeights
    back::Matrix{Float32}       # recurrent weights, from and to exchanged
    out::Matrix{Float32}        # readout, the same; later its gradient
    values::Matrix{Float32}     # (inputs, examples x steps): what was shown, then the targets
    hidden::Matrix{Float32}     # (hidden, examples x steps)
    before::Matrix{Float32}
    errors::Matrix{Float32}     # (outputs, examples x steps)
end

function ElmanSpace(s::ElmanSizes, steps::Int)
    columns = s.examples * steps
    ElmanSpace(ElmanWeights(s), ElmanWeights(s), zeros(Float32, s.hidden, s.hidden), zeros(Float32, s.hidden, s.inputs),
               zeros(Float32, s.inputs, columns), zeros(Float32, s.hidden, columns), zeros(Float32, s.hidden, columns),
               zeros(Float32, s.inputs, columns))
end

at_step(a::Matrix, s::ElmanSizes, t::Int) = view(a, :, (t-1)*s.examples+1:t*s.examples)

function forward!(x::ElmanSpace, s::ElmanSizes, f, steps::Int)
    for t in 1:steps
        h = at_step(x.hidden, s, t)
        if t == 1
            fill!(h, 0.0f0)
        else
            multiply_rows!(h, x.weights.recurrent, at_step(x.hidden, s, t - 1), s.examples, 1, s.hidden)
        end
        t <= s.shown && add_product!(h, x.weights.input, at_step(x.values, s, t))
        @inbounds @simd ivdep for k in (t-1)*s.hidden*s.examples+1:t*s.hidden*s.examples
            x.hidden[k] = apply(f, x.hidden[k])
        end
    end
end

"C += A * B, for an A of few columns."
function add_product!(C, A::Matrix{Float32}, B)
    @inbounds for j in axes(C, 2), k in axes(A, 2)
        b = B[k, j]
        @simd ivdep for i in axes(C, 1)
            C[i, j] = muladd(A[i, k], b, C[i, j])
        end
    end
end

"The mean squared error of what follows the inputs; errors become its gradient by the outputs."
function errors!(x::ElmanSpace, s::ElmanSizes, steps::Int)
    columns, total = s.examples * s.shown + 1:s.examples * steps, 0.0
    scale = 2.0f0 / Float32(s.inputs * length(columns))
    copy_transposed!(x.out, x.weights.readout)
    read_out!(x.errors, x.out, x.hidden, columns)
    @inbounds for j in columns, i in 1:s.inputs
        difference = x.errors[i, j] - x.values[i, j]
        total += Float64(difference)^2
        x.errors[i, j] = scale * difference
    end
    return total / (s.inputs * length(columns))
end

function backward!(x::ElmanSpace, s::ElmanSizes, f, steps::Int)
    w, g = x.weights, x.gradient
    copy_transposed!(x.back, w.recurrent)
    for t in steps:-1:1
        d = at_step(x.before, s, t)
        if t == steps
            fill!(d, 0.0f0)
        else
            multiply_rows!(d, x.back, at_step(x.before, s, t + 1), s.examples, 1, s.hidden)
        end
        t > s.shown && add_product!(d, x.out, at_step(x.errors, s, t))
        @inbounds @simd ivdep for k in (t-1)*s.hidden*s.examples+1:t*s.hidden*s.examples
            x.before[k] *= slope(f, x.hidden[k])
        end
    end
    columns(first, last) = (first-1)*s.examples+1:last*s.examples
    outer!(g.recurrent, view(x.before, :, columns(2, steps)), view(x.hidden, :, columns(1, steps - 1)))
    outer!(g.input, view(x.before, :, columns(1, s.shown)), view(x.values, :, columns(1, s.shown)))
    outer!(x.out, view(x.hidden, :, columns(s.shown + 1, steps)), view(x.errors, :, columns(s.shown + 1, steps)))
    copy_transposed!(g.readout, x.out)
    pack!(g)
end

"Y[:, columns] = W' H[:, columns] for a W of few columns: sums down the columns, four at a time."
function read_out!(Y::Matrix{Float32}, W::Matrix{Float32}, H::Matrix{Float32}, columns)
    outputs = size(W, 2)
    @inbounds for j in columns
        i = 1
        while i + 3 <= outputs
            a = b = c = d = 0.0f0
            @simd for k in axes(W, 1)
                h = H[k, j]
                a, b, c, d = muladd(W[k, i], h, a), muladd(W[k, i+1], h, b), muladd(W[k, i+2], h, c), muladd(W[k, i+3], h, d)
            end
            Y[i, j], Y[i+1, j], Y[i+2, j], Y[i+3, j] = a, b, c, d
            i += 4
        end
        while i <= outputs
            a = 0.0f0
            @simd for k in axes(W, 1)
                a = muladd(W[k, i], H[k, j], a)
            end
            Y[i, j] = a
            i += 1
        end
    end
end

outer!(C, A, B) = multiply_rows!(C, A, PermutedDimsArray(B, (2, 1)), size(B, 1), 1, size(A, 1))

function copy_transposed!(to::Matrix{Float32}, from::Matrix{Float32})
    for j in axes(from, 2), i in axes(from, 1)
        to[j, i] = from[i, j]
    end
end
