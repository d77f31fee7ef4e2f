"""What this machine has of what sharpwave uses, and what to do about what it lacks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .environment import environment
from .report import show

if TYPE_CHECKING:
    from rich.console import Console


def diagnose() -> dict[str, Any]:
    """Start Julia, import torch, look at the data sets, and describe what was found.

    Returns:
        A dictionary that JSON can hold: `julia` (see `sharpwave_bridge.doctor`), `torch` (version, threads, devices),
        `data` (one entry for each data set), `versions`, `machine`, and `problems`, a list of
        `{"what": ..., "remedy": ...}`.
    """
    from sharpwave_bridge.doctor import doctor

    from .data import status

    julia = doctor()
    problems = list(julia.pop("problems"))
    described = environment()
    data = [asdict(entry) for entry in status()]
    for entry in data:
        if entry["state"] == "corrupt":
            what = f"data set {entry['name']} in {entry['path']} is damaged: {entry['detail']}"
            problems.append({"what": what, "remedy": "load it once: it is fetched again"})
    return {
        "julia": julia,
        "torch": _torch(problems),
        "data": data,
        "versions": described["versions"],
        "machine": described["machine"],
        "problems": problems,
    }


def print_diagnosis(about: dict[str, Any], console: Console) -> None:
    """Print what `diagnose` found, problems last."""
    for heading in ("julia", "torch", "machine", "versions"):
        console.print(heading, style="bold")
        for name, value in about[heading].items():
            _print_entry(console, name, value)
    console.print("data sets", style="bold")
    for entry in about["data"]:
        detail = f" ({entry['detail']})" if entry["detail"] else ""
        _print_entry(console, entry["name"], f"{entry['state']}{detail}  {entry['path']}")
    console.print("problems", style="bold")
    for problem in about["problems"]:
        console.print(f"  [red]✗[/red] {_plain(problem['what'])}", soft_wrap=True)
        console.print(f"    {_plain(problem['remedy'])}", soft_wrap=True)
    if not about["problems"]:
        console.print("  none")


def _print_entry(console: Console, name: str, value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _print_entry(console, f"{name}: {key}", item)
        return
    console.print(f"  {name.replace('_', ' '):<22} {show(value)}", markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _torch(problems: list[dict[str, str]]) -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        remedy = "install it (`pip install torch`); without torch the reference implementations and training do not run"
        problems.append({"what": f"torch does not import: {error}", "remedy": remedy})
        return {"version": None, "threads": None, "cuda": None}
    return {
        "version": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
