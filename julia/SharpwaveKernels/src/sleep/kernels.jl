# A phase of sleep, in single and in double precision.

"""
Change weights (of each unit of each layer, from all units before) by sleeping. `thresholds` are of layers, `rule` is decay, scale, raise, lower and
width, `spikes` what the inputs do, 1 or 0. `fired` counts the spikes of each layer.
"""
function sleep_phase(control::Control, threads, rule, sizes, thresholds, spikes, weights, fired)
    T = eltype(weights)
    levels = length(sizes)
    levels >= 2 && all(>(0), sizes) || throw(BadArgument("sizes", "expected units of the inputs and of at least one layer, got $sizes"))
    length(thresholds) == levels - 1 || throw(BadArgument("thresholds", "expected $(levels - 1), got $(length(thresholds))"))
    size(spikes, 1) == sizes[1] || throw(BadArgument("spikes", "expected $(sizes[1]) inputs, got $(size(spikes, 1))"))
    wanted = sum(sizes[k] * sizes[k+1] for k in 1:levels-1)
    length(weights) == wanted || throw(BadArgument("weights", "expected $wanted, got $(length(weights))"))
    all(>(0), view(rule, [2, 5])) || throw(BadArgument("rule", "scale and width must be positive, got $(rule[2]) and $(rule[5])"))
    number, at = allowed_threads(threads), 0
    layers = map(1:levels-1) do k
        n = sizes[k] * sizes[k+1]
        matrix = reshape(weights[at+1:at+n], sizes[k], sizes[k+1])
        at += n
        Layer{T}(matrix, T(thresholds[k]), zeros(T, sizes[k+1]), zeros(Bool, sizes[k+1]), zeros(Int, number))
    end
    expect!(control, size(spikes, 2))
    sleep!(layers, Rule{T}(rule...), spikes, number, control)
    throw_if_cancelled(control)
    at = 0
    for (k, layer) in enumerate(layers)
        copyto!(weights, at + 1, layer.weights, 1, length(layer.weights))
        at += length(layer.weights)
        fired[k] = sum(layer.spikes)
    end
end

sleep_phase_64(control::Control, arguments...) = sleep_phase(control, arguments...)

for (name, T) in ((:sleep_phase, "f32"), (:sleep_phase_64, "f64"))
    @eval @kernel $name $("""
        threads in i64
        rule in f64[5]
        sizes in i64[levels]
        thresholds in f64[layers]
        spikes in u8[steps, inputs]
        weights inout $T[weights]
        fired out i64[layers]
    """)
end
