# How large a step: the error norm, the first step, and PI control.

# Gustafsson's PI controller, ACM TOMS 17 (1991) 533: the next step is h * SAFETY * e^-INTEGRAL *
# previous_e^PROPORTIONAL, e being the error over its tolerance. On HIRES, ROBER, OREGO and VDPOL these exponents gave a
# smaller error for their number of steps than (0.14, 0.08), (0.17, 0.04) and (0.2, 0).
const SAFETY = 0.9
const INTEGRAL = 0.2
const PROPORTIONAL = 0.08
const LARGEST_GROWTH = 8.0
const SMALLEST_SHRINK = 0.2

"The logarithm of the root mean square of error / (atol + rtol max(|u|, |u_new|)); NaN if the step is not finite."
@inline function log_error(x::Trajectory, plan::Plan)
    total = 0.0
    @inbounds @simd for i in 1:x.n
        scale = muladd(plan.rtol, max(abs(x.u[i]), abs(x.u_new[i])), plan.atol[i])
        total += abs2(x.error[i] / scale)
    end
    # one error that vanishes says nothing about the next
    return total < Inf ? max(log(total / x.n) / 2, -23.0) : NaN
end

"By what to multiply an accepted step."
@inline growth(error::Float64, previous::Float64) =
    clamp(SAFETY * exp(PROPORTIONAL * previous - INTEGRAL * error), SMALLEST_SHRINK, LARGEST_GROWTH)

"By what to multiply a rejected step."
@inline shrink(error::Float64) = isnan(error) ? 0.25 : clamp(SAFETY * exp(-error / 5), SMALLEST_SHRINK, 0.9)

"The smallest step that is still worth taking at time t."
smallest_step(t::Float64) = 4 * eps(t)

"The magnitude of a first step (Hairer, Norsett & Wanner, Solving ODEs I, II.4)."
function initial_step(x::Trajectory, s::System, plan::Plan)
    span = abs(plan.t1 - plan.t0)
    d0, d1 = weighted_norm(x, plan, x.u, x.u, 0.0), weighted_norm(x, plan, x.slope, x.slope, 0.0)
    h0 = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1
    h0 > 0 && isfinite(h0) || (h0 = 1e-6)       # tolerances that no number meets make both norms infinite
    h0 = min(h0, span, plan.max_step)
    x.h = h0 * x.direction
    @inbounds for i in 1:x.n
        x.point[i] = muladd(x.h, x.slope[i], x.u[i])
    end
    derivative!(x.slope_new, x, s, x.point, x.t + x.h)
    d2 = weighted_norm(x, plan, x.slope_new, x.slope, 1.0) / h0
    largest = max(d1, d2)
    h1 = largest <= 1e-15 ? max(1e-6, 1e-3 * h0) : (0.01 / largest)^(1 / x.order)
    h = min(100 * h0, h1)
    return h > 0 && isfinite(h) ? min(h, span, plan.max_step) : h0
end

"The weighted root mean square of a - factor * b."
function weighted_norm(x::Trajectory, plan::Plan, a, b, factor::Float64)
    total = 0.0
    @inbounds for i in 1:x.n
        total += abs2((a[i] - factor * b[i]) / muladd(plan.rtol, abs(x.u[i]), plan.atol[i]))
    end
    return sqrt(total / x.n)
end
