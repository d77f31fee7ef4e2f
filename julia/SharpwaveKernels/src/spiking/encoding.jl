# Input spikes of an example, drawn before it starts: rates, probabilities or the caller's own events, sorted by step.

const GAPS_AT_ONCE = 64

"By population: the spikes of step t are units[first[t]:first[t+1]-1]. Below, room for spikes in the order in which they are drawn."
struct InputSpikes
    gaps::Vector{Float64}           # exponential random numbers of mean 1
    first::Vector{Vector{Int32}}
    units::Vector{Vector{Int32}}
    drawn_step::UnitList
    drawn_unit::UnitList
end

InputSpikes(net::Network, steps::Int) =
    InputSpikes(zeros(GAPS_AT_ONCE), [zeros(Int32, is_input(p) ? steps + 2 : 0) for p in net.populations], [Int32[] for _ in net.populations], UnitList(),
                UnitList())

function input_spikes!(spikes::UnitList, inputs::InputSpikes, k::Int, step::Int)
    empty!(spikes)
    @inbounds begin
        first, units = inputs.first[k], inputs.units[k]
        for n in first[step]:first[step+1]-1
            add!(spikes, units[n])
        end
    end
end

"""
Draw the input of an example, its rates times `scale`. Each presentation of it has random numbers of its own.
"""
function encode!(inputs::InputSpikes, r, example::Int, presentation::Int, scale::Float64)
    for (k, p) in enumerate(r.net.populations)
        is_input(p) || continue
        empty!(inputs.drawn_step)
        empty!(inputs.drawn_unit)
        if p.source == events
            collect_events!(inputs, r, p, example - r.first_example)
        else
            draw_rates!(inputs, r, p, k, example, presentation, scale)
        end
        sort_by_step!(inputs, k, r.steps)
    end
end

function collect_events!(inputs::InputSpikes, r, p::Population, column::Int)
    for n in r.event_first[column+1]+1:r.event_first[column+2]
        unit = r.event_unit[n] - p.first_input
        0 <= unit < p.units || continue
        add!(inputs.drawn_step, r.event_step[n] + 1)
        add!(inputs.drawn_unit, unit + 1)
    end
end

"Exponential numbers of mean 1 from the words of a place, from a block on."
function draw_exponential!(gaps::Vector{Float64}, seed::Int, stream::Int, example::Int, step::Int, first_block::Int)
    @inbounds for block in 0:length(gaps)÷4-1
        words = random_words(seed, stream, example, step, first_block + block)
        for w in 1:4
            gaps[4*block+w] = unit_interval(words[w])
        end
    end
    @inbounds @simd ivdep for n in 1:length(gaps)
        gaps[n] = -fast_log(gaps[n])
    end
end

"Gaps between spikes: exponential for a Poisson process, so that a step may hold more than one, geometric for a coin a step."
function draw_rates!(inputs::InputSpikes, r, p::Population, k::Int, example::Int, presentation::Int, scale::Float64)
    column = example - r.first_example + 1
    gaps, block, used = inputs.gaps, 0, GAPS_AT_ONCE
    last, continuous = Float64(r.input_steps), p.source == poisson
    @inbounds for i in 1:p.units
        given = r.rates[p.first_input+i, column]
        given > 0 || continue
        # the time from one spike to the next is -log(u) times this many steps
        mean = continuous ? 1000 / (given * scale * r.dt) : -1 / log1p(-min(given * scale, 1.0))
        at = 0.0
        while true
            if used == GAPS_AT_ONCE
                draw_exponential!(gaps, r.seed, k, example, presentation, block)
                block, used = block + GAPS_AT_ONCE ÷ 4, 0
            end
            used += 1
            gap = gaps[used] * mean
            at = continuous ? at + gap : floor(at + gap) + 1
            step = continuous ? floor(at) + 1 : at
            step <= last || break
            add!(inputs.drawn_step, unsafe_trunc(Int32, step))
            add!(inputs.drawn_unit, i)
        end
    end
end

"Counting sort; spikes of one step stay in the order of their units."
function sort_by_step!(inputs::InputSpikes, k::Int, steps::Int)
    first, units, drawn = inputs.first[k], inputs.units[k], inputs.drawn_step
    fill!(first, 0)
    @inbounds begin
        for t in drawn
            first[t+1] += 1
        end
        total = Int32(1)
        for t in 1:steps+1              # first[t+1] holds the number of step t: make it the place of that step's next spike
            count = first[t+1]
            first[t+1] = total
            total += count
        end
        resize!(units, length(drawn))
        for n in 1:length(drawn)
            t = drawn[n]
            units[first[t+1]] = inputs.drawn_unit[n]
            first[t+1] += 1
        end
        first[1] = 1                    # now first[t+1] is the place after the last spike of step t
    end
end
