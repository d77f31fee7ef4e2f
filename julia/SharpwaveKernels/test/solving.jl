# One way to call the solver in tests.

const CONTROL = zeros(Int64, 4)

function solve(system, method, y0, t0, t1; parameters = zeros(system.nparams, size(y0, 2)), t_eval = Float64[], rtol = 1e-6,
               atol = rtol, first_step = 0.0, max_step = Inf, dt = 0.0, max_steps = 10^6,
               direction = zeros(Int, system.nevents), terminal = zeros(Int, system.nevents), save = 0, control = CONTROL)
    plan = SK.checked_plan(t0, t1, t_eval, rtol, atol isa Number ? fill(atol, system.n) : atol, first_step, max_step, dt,
                           max_steps, direction, terminal, save)
    result = SK.BatchResult(system, plan, zeros(system.n, length(t_eval), size(y0, 2)))
    GC.@preserve control SK.integrate_batch!(result, system, method, plan, reshape(Float64.(y0), system.n, :), parameters,
                                             SK.Control(pointer(control)))
    return result
end
