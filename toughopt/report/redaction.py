"""What a report must not carry to its readers: keys, tokens, passwords, and addresses that are secrets themselves."""

from __future__ import annotations

import re

_LEFT_OUT = '"(left out)"'
_SECRET_KEY = re.compile(r"(?i)^(\s*[\w.\-]*(?:token|secret|passw|api_?key|apikey)[\w.\-]*\s*=\s*)\S.*$")
_INLINE_KEY = re.compile(r"(?i)([\w\-]*(?:token|secret|passw|api_?key|apikey)[\w\-]*\s*=\s*)(\"[^\"]*\"|'[^']*')")
_IN_ADDRESS = re.compile(r"://[^/@\s\"']*@")
_IN_QUERY = re.compile(r"(?i)([?&][\w\-]*(?:token|secret|passw|key)[\w\-]*=)[^&\s\"']*")
_HOOK = re.compile(r"(?i)^(\s*(?:notify\.)?url\s*=\s*)\S.*$")
_INLINE_HOOK = re.compile(r"(?i)^(\s*notify\s*=\s*\{.*?url\s*=\s*)(\"[^\"]*\"|'[^']*')")
_SECTION = re.compile(r"^\s*\[+\s*([\w.\-\"']+)")


def without_secrets(toml: str) -> str:
    """A campaign.toml in which everything that looks like a secret is replaced; all other lines stay as they are."""
    lines, section = [], ""
    for line in toml.splitlines():
        heading = _SECTION.match(line)
        if heading:
            section = heading[1]
        if section == "notify" or line.lstrip().startswith("notify."):
            line = _HOOK.sub(rf"\g<1>{_LEFT_OUT}", line)
        line = _INLINE_HOOK.sub(rf"\g<1>{_LEFT_OUT}", line)
        line = _SECRET_KEY.sub(rf"\g<1>{_LEFT_OUT}", line)
        line = _INLINE_KEY.sub(rf"\g<1>{_LEFT_OUT}", line)
        line = _IN_ADDRESS.sub("://(left out)@", line)
        lines.append(_IN_QUERY.sub(r"\g<1>(left out)", line))
    return "\n".join(lines)
