# Training of many Elman networks on a linear task, each on its own: a thread takes a network through all steps of a call.

struct Adam
    rate::Float32
    mean_decay::Float32
    square_decay::Float32
    epsilon::Float32
    weight_decay::Float32
    clip::Float32
end

"The rule of a task, F' (d, s d), as the numbers of it that are not 0: for each output, places in the window and factors."
struct TaskRule
    places::Vector{Vector{Int}}
    factors::Vector{Vector{Float32}}
end

function TaskRule(matrix::Matrix{Float64})
    places = [findall(!=(0), matrix[:, i]) for i in axes(matrix, 2)]
    return TaskRule(places, [Float32.(matrix[p, i]) for (i, p) in enumerate(places)])
end

"""
Inputs of -1 and 1 by seed and step, and what follows them. Bits are those that NumPy unpacks, example by example, from the words
of its Philox with this key, and with a counter of step and stream.
"""
function draw_examples!(values::Matrix{Float32}, s::ElmanSizes, seed::Int, step::Int)
    words, block = (UInt64(0), UInt64(0), UInt64(0), UInt64(0)), 0
    for bit in 0:s.examples*s.shown*s.inputs-1
        bit % 256 == 0 && (words = random_words(seed, 0, 0, step, block += 1))
        word = words[(bit÷64)%4+1]
        place = (bit % 64) ÷ 8 * 8 + 7 - bit % 8
        example, rest = divrem(bit, s.shown * s.inputs)
        t, i = divrem(rest, s.inputs)
        values[i+1, t*s.examples+example+1] = (word >> place) & 1 == 1 ? 1.0f0 : -1.0f0
    end
end

function follow_rule!(values::Matrix{Float32}, s::ElmanSizes, rule::TaskRule, steps::Int)
    @inbounds for t in s.shown+1:steps, i in 1:s.inputs
        column = (t - 1) * s.examples
        for b in 1:s.examples
            values[i, column+b] = 0.0f0
        end
        for (place, factor) in zip(rule.places[i], rule.factors[i])
            block, dimension = divrem(place - 1, s.inputs)
            from = (t - s.shown - 1 + block) * s.examples
            for b in 1:s.examples
                values[i, column+b] = muladd(factor, values[dimension+1, from+b], values[i, column+b])
            end
        end
    end
end

"""
Train networks for some steps from `first_step` on. Row r of the parameters, and of Adam's two averages, is network r; its examples
come from seeds[r], and horizons[r] outputs count. `done[r]` is how many steps it took: less than all if its numbers ceased to be
finite, and then it stays as it was before that step.
"""
function train_elman(control::Control, numbers, settings, matrix, seeds, horizons, parameters_of, mean_of, square_of, loss, done)
    hidden, inputs, shown, examples, kind, first_step, steps, threads = numbers
    all(n -> n > 0, (hidden, inputs, shown, examples, steps)) || throw(BadArgument("numbers", "sizes must be positive, got $numbers"))
    s, f, adam, rule = ElmanSizes(hidden, inputs, shown, examples), nonlinearity(kind), Adam(settings...), TaskRule(matrix)
    size(matrix) == (shown * inputs, inputs) || throw(BadArgument("matrix", "expected ($inputs, $(shown * inputs)), got $(reverse(size(matrix)))"))
    size(parameters_of, 1) == parameters(s) || throw(BadArgument("parameters", "expected $(parameters(s)) of each network, got $(size(parameters_of, 1))"))
    all(h -> h > 0, horizons) || throw(BadArgument("horizons", "must be positive, got $horizons"))
    expect!(control, length(seeds) * steps)
    finished = Threads.Atomic{Int}(0)
    share_out(() -> ElmanSpace(s, shown + maximum(horizons)), length(seeds), threads) do space, r
        x = (parameters = view(parameters_of, :, r), mean = view(mean_of, :, r), square = view(square_of, :, r))
        done[r] = 0
        for k in 1:steps
            cancelled(control) && return
            loss[k, r] = learn_once!(space, s, f, adam, rule, x, seeds[r], first_step + k - 1, Int(horizons[r]))
            isfinite(loss[k, r]) || break
            done[r] = k
            progress!(control, Threads.atomic_add!(finished, 1) + 1)
        end
    end
    throw_if_cancelled(control)
end
@kernel train_elman """
    numbers in i64[8]
    settings in f64[6]
    matrix in f64[outputs, window]
    seeds in i64[networks]
    horizons in i64[networks]
    parameters inout f32[networks, size]
    mean inout f32[networks, size]
    square inout f32[networks, size]
    loss out f64[networks, steps]
    done out i64[networks]
"""

"One step of Adam; the loss before it, or NaN, and then nothing is changed."
function learn_once!(space::ElmanSpace, s::ElmanSizes, f, adam::Adam, rule::TaskRule, x, seed::Int, step::Int, horizon::Int)
    steps = s.shown + horizon
    copyto!(space.weights.all, x.parameters)
    unpack!(space.weights)
    draw_examples!(space.values, s, seed, step)
    follow_rule!(space.values, s, rule, steps)
    forward!(space, s, f, steps)
    loss = errors!(space, s, steps)
    backward!(space, s, f, steps)
    g = space.gradient.all
    norm = sqrt(sum(v -> Float64(v)^2, g))
    isfinite(loss) && isfinite(norm) || return NaN
    adam_step!(x.parameters, x.mean, x.square, g, adam, Float32(min(1.0, adam.clip / (norm + 1e-6))), step + 1)
    return loss
end

function adam_step!(parameters, mean, square, g::Vector{Float32}, a::Adam, scale::Float32, step::Int)
    rate = a.rate / (1 - a.mean_decay^step)
    unbiased = sqrt(1 - Float64(a.square_decay)^step)
    r, u = Float32(rate), Float32(unbiased)
    @inbounds @simd ivdep for k in 1:length(g)
        d = muladd(a.weight_decay, parameters[k], scale * g[k])
        m = mean[k] + (d - mean[k]) * (1.0f0 - a.mean_decay)
        v = a.square_decay * square[k] + (1.0f0 - a.square_decay) * d * d
        mean[k], square[k] = m, v
        parameters[k] -= r * m / (sqrt(v) / u + a.epsilon)
    end
end
