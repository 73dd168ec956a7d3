"""T5: the source contains none of the calls that execute what a file says."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORBIDDEN_IMPORTS = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ARGUMENTS = {("weights_only", False), ("allow_pickle", True), ("shell", True)}


def is_offence(node: ast.AST) -> bool:
    """Return whether a node is a forbidden import, call or argument."""
    match node:
        case ast.Import(names=names):
            return any(name.name.partition(".")[0] in FORBIDDEN_IMPORTS for name in names)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in FORBIDDEN_IMPORTS
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            return True
        case ast.keyword(arg=str(name), value=ast.Constant(value=bool(value))):
            return (name, value) in FORBIDDEN_ARGUMENTS
    return False


def offences(tree: ast.AST):
    """Return the lines of forbidden imports, calls and arguments."""
    return [node.lineno for node in ast.walk(tree) if is_offence(node)]


def test_no_module_executes_what_a_file_says():
    files = [
        path for name in ("mario", "agents", "wrappers") for path in (ROOT / name).rglob("*.py")
    ]
    assert len(files) > 100
    found = [f"{path}:{line}" for path in files for line in offences(ast.parse(path.read_text()))]
    assert found == []


def test_each_kind_of_call_is_found():
    source = "import pickle\nfrom dill import x\neval('1')\nf(weights_only=False)\nf(shell=True)"
    assert sorted(offences(ast.parse(source))) == [1, 2, 3, 4, 5]
