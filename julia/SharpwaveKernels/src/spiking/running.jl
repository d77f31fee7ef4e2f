# A set of examples on all threads. Without learning every example is on its own; with it, a batch goes from step to step together.

"What an example leaves: spikes of the recorded populations, as steps and units from 0."
const Recorded = Vector{Tuple{Vector{Int32},Vector{Int32}}}

"How examples are presented: in batches; again, with rates times the next scale, while fewer spikes than wanted come of it."
struct Presentation
    batch::Int
    wanted_spikes::Int
    watched::Int                    # the population whose spikes are counted for that
    scales::Vector{Float64}
end

"Spikes by population, presentations, whether the states are finite; counts of the counted units; recorded spikes."
struct Outcome
    summary::Matrix{Int64}
    counts::Matrix{Int32}
    counted::Vector{Int}
    recorded::Vector{Recorded}
end

function finish!(o::Outcome, r::Run{T}, lane::Lane{T}, presentations::Int) where {T}
    column = lane.example - r.first_example + 1
    at = 0
    for k in o.counted
        layer = lane.layers[k]
        for i in layer.active
            o.counts[at+i, column] = layer.counts[i]
        end
        at += length(layer.last)
    end
    finite = true
    for (k, layer) in enumerate(lane.layers)
        o.summary[k, column] = spikes_of(layer)
        finite &= all(isfinite, layer.values)
    end
    o.summary[end-1, column] = presentations
    o.summary[end, column] = finite
    o.recorded[column] = [(contents(layer.recorded_steps), contents(layer.recorded_units)) for (k, layer) in enumerate(lane.layers) if r.recorded[k]]
end

function spikes_of(layer::Layer)
    total = 0
    for i in layer.active
        total += layer.counts[i]
    end
    return total
end

few_spikes(p::Presentation, lane::Lane) = p.wanted_spikes > 0 && spikes_of(lane.layers[p.watched]) <
                                                                p.wanted_spikes

"Examples one by one, each thread taking the next."
function run_alone!(o::Outcome, r::Run{T}, p::Presentation, barrier::Barrier) where {T}
    next, done = Threads.Atomic{Int}(0), Threads.Atomic{Int}(0)
    on_threads(barrier) do _
        lane = Lane(r.net, r.steps, r.columns)
        while true
            example = Threads.atomic_add!(next, 1)
            (example >= r.examples || cancelled(r.control)) && break
            lane.example = r.first_example + example
            presentations = 0
            while true
                clear!(lane, r)
                encode!(lane.inputs, r, lane.example, presentations, p.scales[presentations+1])
                presentations += 1
                for step in 1:r.steps
                    advance!(r, lane, step)
                    step % 64 == 0 && cancelled(r.control) && break
                end
                (cancelled(r.control) || presentations == length(p.scales) || !few_spikes(p, lane)) && break
            end
            cancelled(r.control) && break
            finish!(o, r, lane, presentations)
            progress!(r.control, Threads.atomic_add!(done, 1) + 1)
        end
    end
end

"""
Inputs of the next examples, drawn by one thread while another runs an example: two places, `drawn` and `taken` count examples.
"""
struct Ahead
    inputs::NTuple{2,InputSpikes}
    drawn::Threads.Atomic{Int}
    taken::Threads.Atomic{Int}
end
Ahead(r::Run) = Ahead((InputSpikes(r.net, r.steps), InputSpikes(r.net, r.steps)), Threads.Atomic{Int}(0), Threads.Atomic{Int}(0))

function draw_ahead!(ahead::Ahead, r::Run{T}, scale::Float64, barrier::Barrier) where {T}
    for k in 0:r.examples-1
        wait_until(() -> k - ahead.taken[] < 2 || cancelled(r.control), barrier.failed)
        cancelled(r.control) && return
        encode!(ahead.inputs[k%2+1], r, r.first_example + k, 0, scale)
        ahead.drawn[] = k + 1
    end
end

"One example after the other on one thread, with a second one that draws the inputs."
function run_online!(o::Outcome, r::Run{T}, p::Presentation, barrier::Barrier) where {T}
    lane, present, ahead = Lane(r.net, r.steps, r.columns), [1], Ahead(r)
    own, alone = lane.inputs, Barrier(1)
    spaces = [workspace(T, r.net, c) for c in r.net.connections]
    stop = Threads.Atomic{Bool}(false)
    on_threads(barrier) do thread
        thread > 2 && return
        thread == 2 && return draw_ahead!(ahead, r, p.scales[1], barrier)
        for k in 0:r.examples-1
            lane.example = r.first_example + k
            wait_until(() -> ahead.drawn[] > k || cancelled(r.control), barrier.failed)
            cancelled(r.control) && return
            for (presentation, scale) in enumerate(p.scales)
                lane.inputs = presentation == 1 ? ahead.inputs[k%2+1] : own
                presentation == 1 || encode!(own, r, lane.example, presentation - 1, scale)
                present_batch!(r, [lane], present, spaces, 1, alone, stop)
                stop[] && return
                if presentation == length(p.scales) || !few_spikes(p, lane)
                    finish!(o, r, lane, presentation)
                    break
                end
            end
            ahead.taken[] = k + 1
            progress!(r.control, k + 1)
        end
    end
end

"""
Batches one by one. In every step each thread advances its examples, then all threads learn, each its share of the weights;
currents of a step therefore come from weights after the last step's change.
"""
function run_learning!(o::Outcome, r::Run{T}, p::Presentation, barrier::Barrier) where {T}
    lanes = [Lane(r.net, r.steps, r.columns) for _ in 1:min(p.batch, r.examples)]
    stop = Threads.Atomic{Bool}(false)
    on_threads(barrier) do thread
        threads = barrier.threads
        spaces = [workspace(T, r.net, c) for c in r.net.connections]
        present = Int[]
        for first in 0:p.batch:r.examples-1
            size = min(p.batch, r.examples - first)
            resize!(present, size) .= 1:size
            for n in thread:threads:size
                lanes[n].example = r.first_example + first + n - 1
            end
            for (presentation, scale) in enumerate(p.scales)
                for k in thread:threads:length(present)
                    lane = lanes[present[k]]
                    encode!(lane.inputs, r, lane.example, presentation - 1, scale)
                end
                present_batch!(r, lanes, present, spaces, thread, barrier, stop)
                stop[] && return
                last = presentation == length(p.scales)
                for k in thread:threads:length(present)
                    lane = lanes[present[k]]
                    (last || !few_spikes(p, lane)) && finish!(o, r, lane, presentation)
                end
                filter!(n -> few_spikes(p, lanes[n]), present)
                meet!(barrier)
                isempty(present) && break
            end
            thread == 1 && progress!(r.control, first + size)
        end
    end
end

"Present a batch whose inputs are drawn, and learn."
function present_batch!(r::Run{T}, lanes, present, spaces, thread::Int, barrier::Barrier, stop) where {T}
    threads = barrier.threads
    for k in thread:threads:length(present)
        clear!(lanes[present[k]], r)
    end
    for step in 1:r.steps
        for k in thread:threads:length(present)
            advance!(r, lanes[present[k]], step)
        end
        thread == 1 && cancelled(r.control) && (stop[] = true)
        meet!(barrier)
        stop[] && return
        learn!(r, lanes, present, spaces, step, thread, barrier)
        meet!(barrier)
    end
    settle!(r, lanes, present, spaces, thread, threads)
    meet!(barrier)
end
