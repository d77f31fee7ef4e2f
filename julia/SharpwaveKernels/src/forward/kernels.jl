# An epoch of learning, and states without learning, in single and in double precision.

"Examples of a batch into a thread's columns."
function gather!(to::Matrix{T}, from::Matrix{T}, places, columns) where {T}
    for j in columns
        @inbounds for i in axes(from, 1)
            to[i, j] = from[i, places[j]+1]
        end
    end
end

"How many of the outputs are largest elsewhere than the target is, and the mean squared distance."
function wrong_outputs(x::Space, n::RateNetwork, used::Int)
    outputs, wrong, total = n.sizes[end], 0, 0.0
    for j in 1:used
        given, wanted = view(x.free_state[end], 1:outputs, j), view(x.target, 1:outputs, j)
        wrong += argmax(given) != argmax(wanted)
        total += sum(k -> abs2(Float64(given[k] - wanted[k])), 1:outputs)
    end
    return wrong, total / max(1, used)
end

"""
Learn from batches of examples, one after the other. `order` has the places of each batch's examples, from 0; -1 is none. `factors` has for each
batch what rates are multiplied by, `betas` how strongly its outputs are nudged first. `kept` has the states that examples settled to
last, if it has any. `stopped` is the batch in which a state of a layer was not finite, and that layer, or -1: weights stay as before it.
"""
function learn_rates(control::Control, numbers, settings, sizes, links, rates, bias_rates, order, factors, betas, inputs, targets,
                     weights, biases, kept, wrong, distance, change, steps, stopped)
    free_steps, nudged_steps, clipped, constant, both, contrastive, threads = numbers
    step, tolerance, decay = settings
    network = RateNetwork(sizes, links, rates, bias_rates, weights, biases)
    s = Settling(free_steps, nudged_steps, step, tolerance, clipped != 0)
    size(inputs, 1) == network.inputs || throw(BadArgument("inputs", "expected $(network.inputs) of each example, got $(size(inputs, 1))"))
    size(targets, 1) == network.sizes[end] || throw(BadArgument("targets", "expected $(network.sizes[end]) of each example, got $(size(targets, 1))"))
    all(place -> -1 <= place < size(inputs, 2), order) || throw(BadArgument("order", "expected places from 0 to $(size(inputs, 2) - 1), or -1"))
    size(kept, 2) in (0, size(inputs, 2)) || throw(BadArgument("kept", "expected a row for each example, or none"))
    free_steps > 0 && nudged_steps > 0 || throw(BadArgument("numbers", "expected steps, got $free_steps and $nudged_steps"))
    x = Space(network, size(order, 1), allowed_threads(threads))
    expect!(control, size(order, 2))
    stopped .= -1
    on_threads(x.barrier) do thread
        turn, n = 1, x.networks[thread]
        for batch in axes(order, 2)
            l = Learning(betas[batch], constant != 0, both != 0, contrastive != 0, decay)
            places = view(order, :, batch)
            used = count(>=(0), places)
            columns = own_columns(x, thread, used)
            gather!(x.target, targets, places, columns)
            turn = free!(n, x, s, thread, columns, inputs, places, kept, batch, steps, turn)
            plus, minus, turn = compare!(n, x, s, l, thread, columns, turn)
            meet!(x.barrier)
            if thread == 1
                wrong[batch], distance[batch] = wrong_outputs(x, n, used)
                change[:, batch] .= vec(maximum(x.free_change, dims=2))
            end
            if any(x.lost)
                thread == 1 && (stopped .= (batch - 1, findfirst(k -> any(view(x.lost, k, :)), axes(x.lost, 1)) - 1))
                return
            end
            span = (l.both ? 2 : 1) * l.beta * max(1, used)
            learn!(n, x, l, thread, used, plus, minus, factors[batch] / span, factors[batch])
            end_batch!(x, control, batch, thread) && return
        end
    end
    store!(network, weights, biases)
    throw_if_cancelled(control)
end

"Let a batch settle freely, and keep where it came to."
function free!(n::RateNetwork, x::Space{T}, s::Settling, thread::Int, columns, inputs, places, kept, batch::Int, steps, turn::Int) where {T}
    gather!(x.x, inputs, places, columns)
    set_constant!(n, x, columns)
    first_unit, holds = cumsum([0; n.sizes]), size(kept, 2) > 0
    begin!(x, columns, turn) do k, i, j
        holds && i <= n.sizes[k] ? kept[first_unit[k]+i, places[j]+1] : zero(T)
    end
    done, turn = settle!(n, x, s, thread, columns, s.free_steps, s.tolerance > 0 ? s.tolerance : -1.0, x.constant, 1.0, turn, !holds)
    for k in eachindex(n.sizes)
        copy_columns!(x.free_state[k], x.state[k], columns)
        copy_columns!(x.free_active[k], x.active[turn][k], columns)
        x.free_change[k, thread] = x.change[k, thread]
        holds || continue
        for j in columns, i in 1:n.sizes[k]
            kept[first_unit[k]+i, places[j]+1] = x.state[k][i, j]
        end
    end
    thread == 1 && (steps[batch] = done)
    return turn
end

"States (units of all layers, examples) that batches of examples settle to freely."
function settle_rates(control::Control, numbers, settings, sizes, links, inputs, weights, biases, states, change, steps)
    free_steps, clipped, batch, threads = numbers
    step, tolerance = settings
    network = RateNetwork(sizes, links, zeros(size(links, 2)), zeros(length(sizes) - 1), weights, biases)
    s = Settling(free_steps, 0, step, tolerance, clipped != 0)
    size(inputs, 1) == network.inputs || throw(BadArgument("inputs", "expected $(network.inputs) of each example, got $(size(inputs, 1))"))
    free_steps > 0 && batch > 0 || throw(BadArgument("numbers", "expected steps and examples of a batch, got $free_steps and $batch"))
    examples = size(inputs, 2)
    x = Space(network, Int(batch), allowed_threads(threads))
    expect!(control, length(steps))
    on_threads(x.barrier) do thread
        turn, n, first_unit = 1, x.networks[thread], cumsum([0; network.sizes])
        for k in eachindex(steps)
            places = (k-1)*batch:min(k * batch, examples)-1
            columns = own_columns(x, thread, length(places))
            turn = free!(n, x, s, thread, columns, inputs, places, view(states, :, 1:0), k, steps, turn)
            for layer in eachindex(n.sizes), j in columns, i in 1:n.sizes[layer]
                states[first_unit[layer]+i, places[j]+1] = x.state[layer][i, j]
            end
            meet!(x.barrier)
            thread == 1 && (change[:, k] .= vec(maximum(x.free_change, dims=2)))
            end_batch!(x, control, k, thread) && return
        end
    end
    throw_if_cancelled(control)
end

for (suffix, T) in (("", "f32"), ("_64", "f64"))
    learning, settling = Symbol("learn_rates", suffix), Symbol("settle_rates", suffix)
    if suffix != ""
        @eval $learning(control::Control, arguments...) = learn_rates(control, arguments...)
        @eval $settling(control::Control, arguments...) = settle_rates(control, arguments...)
    end
    @eval @kernel $learning $("""
        numbers in i64[7]
        settings in f64[3]
        sizes in i64[levels]
        links in i64[links, 2]
        rates in f64[links]
        bias_rates in f64[layers]
        order in i64[batches, batch]
        factors in f64[batches]
        betas in f64[batches]
        inputs in $T[examples, pixels]
        targets in $T[examples, outputs]
        weights inout $T[weights]
        biases inout $T[biases]
        kept inout $T[held, biases]
        wrong out i64[batches]
        distance out f64[batches]
        change out f64[batches, layers]
        steps out i64[batches]
        stopped out i64[2]
    """)
    @eval @kernel $settling $("""
        numbers in i64[4]
        settings in f64[2]
        sizes in i64[levels]
        links in i64[links, 2]
        inputs in $T[examples, pixels]
        weights in $T[weights]
        biases in $T[biases]
        states out $T[examples, biases]
        change out f64[batches, layers]
        steps out i64[batches]
    """)
end
