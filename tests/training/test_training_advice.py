"""What training and the weights refuse, they refuse with what to do now, as ``npe edit`` does."""

import ast
import re
from pathlib import Path

ROOM = Path(__file__).resolve().parents[2] / "npe_core"
ERRORS = {"InputError", "UsageError", "EnvironmentFault", "WeightsError", "OutOfMemory"}
VERBS = "Check|Choose|Convert|Copy|Crop|Export|Free|Give|Leave|Make|Merge|Move|Name|Pack|Put|Release|Rename|Repeat|Save"
ADVICE = re.compile(
    rf"(?:^|[.:}}] |\n|\}})(?:{VERBS}|Say|See|Stop|Take|Write)\b|must be|expected|Expected|needs --"
    r"|\{(?:AWAY|OFFERS|_PUT_BACK|_LABEL|_remedy\(\)|remedy|advice)\}|\{error\}$"
)
"""How it begins, or the names under which it is kept; at the end, that of another error that has some."""


def text_of(node: ast.expr) -> str:
    """A message as it is written, what stands in braces in its own words."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    return f"{{{ast.unparse(node.value if isinstance(node, ast.FormattedValue) else node)}}}"


def refusals():
    for folder in ("training", "models"):
        for file in sorted((ROOM / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                call = node.exc if isinstance(node, ast.Raise) else None
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS:
                    yield f"{file.relative_to(ROOM)}:{node.lineno}", text_of(call.args[0])


def test_what_is_refused_is_told_with_what_to_do_now():
    told = dict(refusals())
    assert len(told) > 60
    assert not [f"{where} {text}" for where, text in told.items() if not ADVICE.search(text)]
