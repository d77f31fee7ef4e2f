# Compiled with the package, as far as this Julia can keep it: the adaptive methods for small systems of compiled equations.

const PointerSystem{HasDelays} =
    System{HasDelays,StateFunction,JacobianFunction,StateFunction,TimeFunction,StateFunction,TimeFunction}

for has_delays in (false, true), N in 1:4
    S, R, V, counter = PointerSystem{has_delays}, Matrix{Float64}, Vector{Float64}, Threads.Atomic{Int}
    for M in (typeof(Rodas5P{N}(N)), Tsit5{N})
        precompile(integrate_trajectory!, (Outcome, Trajectory, M, S, Plan, R, R, Int, Control))
        precompile(run_steps!, (Outcome, Trajectory, M, S, Plan, Progress, Control))
    end
    precompile(work_through!, (BatchResult, S, Type, Plan, R, R, Control, counter, counter))
end
