# Programs for units, compiled: against an interpreter that goes unit by unit, refusals, no allocation.

const SK = SharpwaveKernels

"Random numbers that are the same on every Julia."
mutable struct Draws
    seed::Int
    used::Int
end
Draws(seed) = Draws(seed, 0)
word(d::Draws) = SK.random_words(d.seed, 0, 0, 0, d.used += 1)[1]
pick(d::Draws, choices) = choices[1+Int(word(d) % UInt64(length(choices)))]
real_number(d::Draws) = pick(d, (0.0, -0.0, 1.0, NaN, Inf, (8 * SK.unit_interval(word(d)) - 4 for _ in 1:4)...))

unit_kernel(code, outputs) = (handle = [0]; SK.compile_unitwise(SK.Control(C_NULL), 64, code, outputs, handle); handle[1])
rows(tuples...) = Int[row[k] for k in 1:length(tuples[1]), row in tuples]

"Run the loop of a program for units first to last of arrays (units, arrays), in place; its sum."
function run_loop!(arrays::Matrix{Float64}, scalars::Vector{Float64}, handle, first, last)
    loop = SK.compiled_loop("model", handle, Float64, size(arrays, 2), length(scalars))
    pointers = [pointer(arrays, 1 + (k - 1) * size(arrays, 1)) for k in axes(arrays, 2)]
    GC.@preserve arrays pointers SK.run_units(loop, pointer(pointers), pointer(scalars), first, last)
end

"The same by an interpreter."
function interpret!(arrays, scalars, code, outputs, first, last)
    before, total = copy(arrays), 0.0
    for unit in first:last
        values = Float64[]
        for i in axes(code, 2)
            number, a = code[1, i], code[2, i]
            number == 0 && (push!(values, scalars[a+1]); continue)
            number == 2 && (push!(values, before[unit, a+1]); continue)
            operation = SK.OPERATIONS[number]
            push!(values, operation.compute(values[code[2:1+operation.operands, i].+1]...))
        end
        for k in axes(outputs, 2)
            arrays[unit, outputs[1, k]+1] = values[outputs[2, k]+1]
        end
        total += values[outputs[2, end]+1]
    end
    return total
end

# Operations whose result is the nearest number: they give the same bits however they are compiled.
const EXACT = (10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 30, 31, 32, 33, 34, 35, 40)
const ROUNDED = sort(setdiff([n for (n, o) in SK.OPERATIONS if o.operands > 0], EXACT))

function random_program(d::Draws, instructions, arrays, scalars, written)
    code = zeros(Int, 4, instructions)
    for i in 1:instructions
        code[1, i] = i == 1 ? 2 : pick(d, (0, 2, EXACT..., EXACT...))
        code[2:4, i] .= code[1, i] == 0 ? pick(d, 0:scalars-1) : code[1, i] == 2 ? pick(d, 0:arrays-1) :
                        [pick(d, 0:i-2) for _ in 1:3]
    end
    outputs = [k == 1 ? pick(d, 0:arrays-1) : pick(d, max(0, instructions - 4):instructions-1) for k in 1:2, _ in 1:written]
    return code, outputs
end

@testset "random programs are what an interpreter computes" begin
    for seed in 1:25
        d = Draws(seed)
        instructions, arrays, scalars = pick(d, (1, 3, 10, 60)), pick(d, 1:5), pick(d, 1:3)
        code, outputs = random_program(d, instructions, arrays, scalars, pick(d, 1:4))
        handle = unit_kernel(code, outputs)
        for units in (1, 7, 67)
            given, constants = [real_number(d) for _ in 1:units, _ in 1:arrays], [real_number(d) for _ in 1:scalars]
            first = pick(d, 1:units)
            for (from, to) in ((1, units), (first, pick(d, first:units)), (units, units - 1))
                found, wanted = copy(given), copy(given)
                total = run_loop!(found, constants, handle, from, to)
                expected = interpret!(wanted, constants, code, outputs, from, to)
                @test isequal(found, wanted)
                size_of_terms = sum(abs, filter(isfinite, wanted))      # the loop adds in an order of its own
                isfinite(expected) && @test total ≈ expected rtol = 1e-12 atol = 1e-12 * size_of_terms
            end
        end
    end
end

@testset "operations that are rounded" begin
    given = [0.0 0.0; -0.0 1.0; 0.3 -0.7; 0.9 3.5; -0.2 2.0; 1.7 0.5; 12.5 -2.0; -31.0 3.0; 1.0 Inf; Inf 1.0; -Inf 0.5;
             NaN 1.0; 2.5 NaN]
    for number in ROUNDED
        code = rows((2, 0, 0, 0), (2, 1, 0, 0), (number, 0, 1, 0))
        found, wanted = copy(given), copy(given)
        run_loop!(found, Float64[], unit_kernel(code, rows((1, 2))), 1, size(given, 1))
        interpret!(wanted, Float64[], code, rows((1, 2)), 1, size(given, 1))
        @test all(isequal(x, y) || abs(x - y) <= 4 * eps(y) for (x, y) in zip(found, wanted))
    end
end

@testset "all outputs are computed from the elements before" begin
    # array 0 and array 1 change places; the scalar goes to array 2
    handle = unit_kernel(rows((2, 0, 0, 0), (2, 1, 0, 0), (0, 1, 0, 0)), rows((0, 1), (1, 0), (2, 2)))
    arrays = [1.0 4.0 0.0; 2.0 5.0 0.0; 3.0 6.0 0.0]
    @test run_loop!(arrays, [0.5, 7.0], handle, 2, 3) == 14
    @test arrays == [1.0 4.0 0.0; 5.0 2.0 7.0; 6.0 3.0 7.0]
end

@testset "the sum counts the units that crossed" begin
    units = 1000
    handle = unit_kernel(rows((2, 0, 0, 0), (0, 0, 0, 0), (20, 1, 0, 0)), rows((1, 2)))
    arrays = [Float64(u % 7) for u in 1:units, _ in 1:2]
    @test run_loop!(arrays, [4.0], handle, 1, units) == count(u -> u % 7 > 4, 1:units)
    @test arrays[:, 2] == [u % 7 > 4 for u in 1:units]
end

@testset "equal programs are compiled once" begin
    code, outputs = rows((2, 0, 0, 0), (41, 0, 0, 0)), rows((0, 1))
    handle = unit_kernel(code, outputs)
    @test unit_kernel(copy(code), copy(outputs)) == handle
    code[1, 2] = 42                                     # the caller's array is its own again
    @test unit_kernel(code, outputs) != handle
    arrays = ones(1, 1)
    run_loop!(arrays, Float64[], handle, 1, 1)
    @test arrays[1] ≈ exp(1)
end

"Bytes that a hundred runs allocate, after a first one."
function bytes_of_runs(loop, pointers, scalars, units)
    runs(count) = for _ in 1:count
        SK.run_units(loop, pointer(pointers), pointer(scalars), 1, units)
    end
    runs(1)
    return @allocated runs(100)
end

@testset "runs do not allocate" begin
    # every operation there is, the last value of each into array 1
    operations = sort([n for (n, o) in SK.OPERATIONS if o.operands > 0])
    code = rows((2, 0, 0, 0), (0, 0, 0, 0), (2, 1, 0, 0), ((n, 0, 1, 2) for n in operations)...)
    outputs = rows(((1, i) for i in 3:size(code, 2)-1)...)
    loop = SK.compiled_loop("model", unit_kernel(code, outputs), Float64, 2, 1)
    arrays, scalars = [real_number(Draws(u)) for u in 1:50, _ in 1:2], [0.3]
    pointers = [pointer(arrays), pointer(arrays, 51)]
    GC.@preserve arrays @test bytes_of_runs(loop, pointers, scalars, 50) == 0
end

"The argument at fault and the message, or what else has happened."
function refusal(f)
    try
        f()
        return ("none", "")
    catch e
        return e isa SK.BadArgument ? (e.argument, e.message) : (string(typeof(e)), "")
    end
end

@testset "malformed programs are refused" begin
    good = rows((2, 0, 0, 0), (0, 0, 0, 0), (10, 0, 1, 0))
    for (code, outputs, argument, message) in (
            (good, zeros(Int, 2, 0), "outputs", "at least one"),
            (good, rows((0, 3)), "outputs", "instructions"),
            (good, rows((0, 2), (0, -1)), "outputs", "instructions"),
            (good, rows((-1, 2)), "outputs", "arrays"),
            (zeros(Int, 4, 0), rows((0, 0)), "outputs", "instructions"),
            (good[1:3, :], rows((0, 2)), "code", "rows of 4"),
            (good, rows((0, 2, 0)), "code", "rows of 4 and of 2"),
            (rows((2, 0, 0, 0), (99, 0, 0, 0)), rows((0, 1)), "code", "instruction 1: operation 99"),
            (rows((-1, 0, 0, 0)), rows((0, 0)), "code", "instruction 0: operation -1"),
            (rows((1, 0, 0, 0)), rows((0, 0)), "code", "operation 1 is not one for units"),     # a parameter
            (rows((3, 0, 0, 0)), rows((0, 0)), "code", "operation 3 is not one for units"),     # a lag
            (rows((4, 0, 0, 0)), rows((0, 0)), "code", "operation 4 is not one for units"),     # time
            (rows((2, -1, 0, 0)), rows((0, 0)), "code", "negative position"),
            (rows((0, -1, 0, 0)), rows((0, 0)), "code", "negative position"),
            (rows((14, 0, 0, 0)), rows((0, 0)), "code", "instruction 0 needs one"),             # itself
            (rows((2, 0, 0, 0), (10, 0, 2, 0), (2, 0, 0, 0)), rows((0, 1)), "code", "instruction 1 needs one"),
            (rows((2, 0, 0, 0), (24, 0, 0, -1)), rows((0, 1)), "code", "instruction 1 needs one"),
            (rows((2, 0, 0, 0), (14, typemax(Int), 0, 0)), rows((0, 1)), "code", "instruction 1 needs one"))
        name, text = refusal(() -> unit_kernel(code, outputs))
        @test name == argument
        @test occursin(message, text)
    end
    # one more than such a position is a negative number: it must not pass for one within what is given
    for (code, outputs) in ((rows((2, typemax(Int), 0, 0)), rows((0, 0))), (rows((0, typemax(Int), 0, 0)), rows((0, 0))),
                            (rows((2, 0, 0, 0)), rows((typemax(Int), 0))))
        @test refusal(() -> SK.compiled_loop("model", unit_kernel(code, outputs), Float64, 3, 3))[1] != "none"
    end
    # what an operation does not use may be anything
    @test refusal(() -> unit_kernel(rows((2, 0, -5, 99), (14, 0, -5, 99)), rows((0, 1))))[1] == "none"
end

@testset "handles and what a program reads" begin
    handle = unit_kernel(rows((2, 2, 0, 0), (0, 4, 0, 0), (10, 0, 1, 0)), rows((3, 2)))
    @test SK.compiled_loop("model", handle, Float64, 4, 5) != C_NULL
    for (arrays, scalars) in ((3, 5), (4, 4), (0, 0))
        @test refusal(() -> SK.compiled_loop("model", handle, Float64, arrays, scalars)) ==
              ("model", "the program reads 4 arrays and 5 scalars, got $arrays and $scalars")
    end
    for unknown in (0, -1, typemax(Int))
        @test refusal(() -> SK.compiled_loop("reset", unknown, Float64, 9, 9)) == ("reset", "there is no program $unknown")
    end
end
