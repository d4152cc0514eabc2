"""Documents that are not JSON, that are, and that RFC 8259 leaves to whoever reads them; made here.

They cover the classes of JSONTestSuite (`n_`, `y_`, `i_`): arrays, numbers, objects, strings, structure.
"""

# ruff: noqa: RUF001 - characters that only look like digits belong to the corpus

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

DEEP = 100_000


def _named(kind: str, texts: list[str | bytes]) -> dict[str, bytes]:
    encoded = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return {f"{kind} {number:03} {data[:24]!r}": data for number, data in enumerate(encoded)}


_BAD_NUMBERS = """\
-01 01 00 -00 012 -012 1. -1. .5 -.5 0.e1 2.e3 2.e+3 2.e-3 1.0e 1.0e+ 1.0e- 1e 1e+ 1e- 0e 0e+ 0E 0E+ 1eE2
1e1.5
+1 ++1 +Inf +0 - -- --1 -+1 -a -foo -Infinity -NaN NaN Infinity nan inf Inf -inf 0x1 0x42 0XFF 0b1 0o7
0.1.2 1.2.3
1_000 1,000.5.1 1e0x1 1.8011670033376514H-308 1a 1ea 0.3e 0.3e+ 9.e+ -1x 1+2 1-1 0-1 1/2 ٣ １ 1e１ ∞ 0.٣ 1٣
-٣ 1f 1d
1L 1n $1 1% 0x -0x1 .e1 e1 E5 . -.
"""
_BAD_ARRAYS = """\
[1 [ [] ] [,] [,1] [1,] [1,,] [1,,2] [,,] [1:2] [1;2] ["a" "a"x [""],  ["": 1] [1}  [1) (1) [1]] [[1] ["a",4
[3[4]] [1,[2] [*] [a] [true,fals] [-] ["] ["x [] [] [1][2] [x [nu [tru [fals [1true] [1"a"] [null,tru [}] [{]
"""
_BAD_OBJECTS = """\
{ {} } {"a" {"a"} {"a": {"a":} {"a":1 {"a":1, {"a":1,} {"a":1,,} {,} {,"a":1} {"a":1,,"b":2} {:1}
{"a"::1} {"a":1:2}
{"a",1} {"a";1} {a:1} {'a':1} {1:1} {null:1} {true:1} {[]:1} {{}:1} {"a":1"b":2} {"a":1}} {"a":1}# {"a":1}/**/
{"a":1}// {"a":/**/1} {"a":1)} {"a"=1} {"a"=>1} {"a":a} {"a":'b'} {"a"1} {"a":1]} {"a":{} {"a":[} {"a":[]
{"a":tru} {"a":-} {"a":"b} {"a {"a":"b",} {"x":1,"y"} {"x":1,"y":} ...{"a":1} {"a":...} {"":} {"a":"b"}{}
{"a":+1}
{"a":01} {"a":.1} {"a":1.} {"a":undefined} {"a":NaN} {"a":Infinity} {"a":-Infinity}
"""
_BAD_WORDS = """\
nul tru fals nulll truee True TRUE False FALSE Null NULL None nil undefined yes no on off void x abc é €
😀 @ # ; : ,
= * & ! ? ( ) < > <xml/> <null> /**/ // -- ' ` ~ | \\ ^ $ % _ + 'a' `a` "a'  'a" u"a" b"a" r"a" nan()
new\tDate()
truefalse nullnull true,false 1,2 "a","b" {}[] []{} {},{} 1:2 "a":1
"""
_BAD_STRINGS = [
    r'["\a"]', r'["\0"]', r'["\1"]', r'["\v"]', r'["\x00"]', r'["\x41"]', r'["\e"]', r'["\U0041"]',
    r'["\ "]', r'["\'"]', r'["\u"]', r'["\u0"]', r'["\u00"]', r'["\u004"]', r'["\u00G1"]', r'["\u 041"]',
    r'["\u+041"]', r'["\u-041"]', r'["\u0x41"]', r'["\u{41}"]', r'["\uD834\u"]', r'["\uD834\uD"]',
    r'["\uD834\x"]', r'["\"]', r'["\\\"]', r'["\😀"]', r'["\é"]', r'["\N"]', '["a\\', r'["a\"', '["a', '"',
    '"a', 'a"', '"a"b', '"""', '["new\nline"]', '["tab\tin it"]', '["re\rturn"]', '["\b"]', '["\f"]',
    '["\x01"]', '["\x1f"]', '["\x00"]', '{"\n":1}', '{"a\tb":1}', '["\x1b[0m"]', '"\\', '"\\u', '"\\u00',
    r'["\u００41"]', r'["\u٠٠٤١"]',
]  # fmt: skip
_HALF_SURROGATES = [
    r'["\ud800"]', r'["\udc00"]', r'["\udfff"]', r'["\ud83d"]', r'["\ud83d\ud83d"]', r'["\udc00\ud800"]',
    r'["\ud83dx"]', r'["\ud83d\n"]', r'["\ud83d\u0041"]', r'["x\udbff"]', r'{"\ud800":1}',
    r'{"a":"\udead"}', r'["\ud800\udbff\udc00\udc00"]',
]  # fmt: skip
_BAD_BYTES: list[str | bytes] = [
    b"\xff", b'["\xff"]', b'["\x80"]', b'["\xc0\xaf"]', b'["\xc1\x81"]', b'["\xe0\x80\xaf"]', b'["\xe9"]',
    b'["\xf0\x80\x80\xaf"]', b'["\xed\xa0\x80"]', b'["\xed\xbf\xbf"]', b'["\xf4\x90\x80\x80"]',
    b'["\xf8\x88\x80\x80\x80"]', b'["\xe2\x82"]', b'["\xf0\x9f\x98"]', b'["\xfe\xff"]', b'{"\xb9":"0"}',
    b"[1\xe5]", b"[\xff]", b"1\xe5", b"-\xff", b"1e1\xe5", b'["\\u\xe5"]', b'["\\\xe5"]', b"\xc3\x28",
    b"\xe5", '{"a":1}'.encode("utf-16"), '{"a":1}'.encode("utf-16-le"), '{"a":1}'.encode("utf-16-be"),
    '{"a":1}'.encode("utf-32"), '["é"]'.encode("latin-1"), "1".encode("utf-16-be"),
]  # fmt: skip
_BAD_STRUCTURE: list[str | bytes] = [
    b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}", b"\xef\xbb\xbf[1]", b"{}\xef\xbb\xbf",
    b"\xfe\xff", "[\u2060]", "\u00a0{}", "[\u00a01]", "\u2028[]", "[]\u3000", "\u200b{}", "[\x0c]",
    "[\x0b1]", "\x0c{}", "\x00{}", "{}\x00", "[1]\x1a", "\x08[]", "[\x1f1]", "{}x", "{} {}", "[][]", "1 2",
    '"a" "b"', "null null", "true\nfalse", "[1]\n[2]", "{}}", "[]]", "{}{", "[][", "]", "}", "[}", "{]",
    "/*c*/{}", "{}/*c*/", "//c\n{}", "{}//c", "#c\n{}", "[1,/*c*/2]", "<!-- -->{}", "{};", "x=1",
    "callback({})", ")]}',\n{}", "[" * 500, "{" * 500, '{"a":' * 500, '[{"":' * DEEP, "[" * DEEP,
    "]" * DEEP, "{" * DEEP, '{"a":' * DEEP, "[[" * 16 + "[0]" + "]" * 31, "[\n\n\n", '{"a":\n',
    "[1,\n1\n,1", '[1,2,3,"', "{\n}\n}", " ", "\n", "\t\r\n ", " " * 5000,
]  # fmt: skip
_TOO_MUCH = {
    "a key twice": b'{"a":1,"a":2}',
    "a key twice with one value": b'{"a":1,"a":1}',
    "a key twice, once escaped": b'{"a":1,"\\u0061":2}',
    "a key twice, far inside": b'[[{"x":{"":0,"":0}}]]',
    "an integer of 64 bits and one": b"[9223372036854775808]",
    "a negative integer of 64 bits and one": b"[-9223372036854775808]",
    "an integer of many digits": b"9" * 50_000,
    "a negative integer of many digits": b"[-" + b"1" * 50_000 + b"]",
    "a float that overflows": b"[1e400]",
    "a float that overflows far": b"1e99999",
    "a float that overflows below": b"[-1.5e+9999]",
    "an exponent of many digits": b"[1e" + b"9" * 50_000 + b"]",
    "deep lists that are closed": b"[" * DEEP + b"]" * DEEP,
    "deep objects that are closed": b'{"a":' * 8000 + b"1" + b"}" * 8000,
    "lists just too deep": b"[" * 34 + b"]" * 34,
    "objects just too deep": b'{"a":' * 33 + b"1" + b"}" * 33,
}

REFUSED: dict[str, bytes] = {
    **_named("number", list(_BAD_NUMBERS.split())),
    **_named("number in a list", [f"[{text}]" for text in _BAD_NUMBERS.split()]),
    **_named("array", [text for text in _BAD_ARRAYS.split() if text != "[]"]),
    **_named("object", [text for text in _BAD_OBJECTS.split() if text != "{}"]),
    **_named("word", list(_BAD_WORDS.split())),
    **_named("string", list(_BAD_STRINGS)),
    **_named("half a surrogate pair", list(_HALF_SURROGATES)),
    **_named("bytes", _BAD_BYTES),
    **_named("structure", _BAD_STRUCTURE),
    **_TOO_MUCH,
}
"""What no reader may take (`n_`), and what this one does not take on purpose."""


def _nested(inner: Any, levels: int, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(levels):
        inner = wrap(inner)
    return inner


_VALUES: dict[str, Any] = {
    # structure and blanks
    "[]": [], "{}": {}, "null": None, "true": True, "false": False, '""': "", "0": 0, '"a"': "a",
    " [] ": [], "\n{}\n": {}, "\t[\r\n1 ,\t2 ]\r\n": [1, 2], ' {\t"a"\n:\r1 } ': {"a": 1}, "[ ]": [],
    "{ }": {}, " 1 ": 1, "\r\n\t null": None,
    # arrays
    "[1]": [1], "[1,2,3]": [1, 2, 3], "[[]]": [[]], "[[],[[]]]": [[], [[]]], '[""]': [""], "[null]": [None],
    "[true,false]": [True, False], '[1,"a",null,{}]': [1, "a", None, {}],
    "[1,null,null,2]": [1, None, None, 2], "[{},[]]": [{}, []], '["a",5]': ["a", 5],
    # objects
    '{"a":1}': {"a": 1}, '{"":0}': {"": 0}, '{"a":{}}': {"a": {}}, '{"a":[]}': {"a": []},
    '{"a":1,"b":2}': {"a": 1, "b": 2}, '{"a":{"a":{"a":1}}}': {"a": {"a": {"a": 1}}},
    '{"A":1,"a":2}': {"A": 1, "a": 2}, '{"\\n":1}': {"\n": 1}, '{"a b":null}': {"a b": None},
    '{"é":"è"}': {"é": "è"}, '{"\\u0061":1}': {"a": 1}, '{"__proto__":1}': {"__proto__": 1},
    '{"min":-1.0e+28,"max":1.0e+28}': {"min": -1e28, "max": 1e28},
    # numbers
    "-0": 0, "-0.0": -0.0, "0.0": 0.0, "0e1": 0.0, "0e+1": 0.0, "0E-1": 0.0, "1": 1, "-1": -1, "10": 10,
    "123": 123, "1.5": 1.5, "-1.5": -1.5, "0.1": 0.1, "1.000000000000000005": 1.000000000000000005,
    "1e1": 10.0, "1E1": 10.0, "1e+1": 10.0, "1e-1": 0.1, "1E+2": 100.0, "1E-2": 0.01, "1.5e3": 1500.0,
    "123.456e78": 123.456e78, "1e01": 10.0, "1e-00": 1.0, "20e1": 200.0, "1e308": 1e308, "-1e308": -1e308,
    "1.7976931348623157e308": 1.7976931348623157e308, "5e-324": 5e-324,
    "2.2250738585072014e-308": 2.2250738585072014e-308, "9223372036854775807": 2**63 - 1,
    "-9223372036854775807": 1 - 2**63, "9007199254740993": 2**53 + 1, "4294967296": 2**32,
    "0." + "1" * 400: 0.1111111111111111,
    "-0.000000000000000000000000000000000000000000000000000000000000000000000000000001": -1e-78,
    # strings
    r'"\""': '"', r'"\\"': "\\", r'"\/"': "/", r'"\b\f\n\r\t"': "\b\f\n\r\t", r'"\u0041"': "A",
    r'"\u00e9"': "é", r'"\u00E9"': "é", r'"\u20ac"': "€", r'"\ud83d\ude00"': "😀", r'"\uD834\uDD1E"': "𝄞",
    r'"\udbff\udfff"': "\U0010ffff", r'"\u0000"': "\0", r'"\u001f"': "\x1f", r'"\u007f"': "\x7f",
    r'"\u2028\u2029"': "\u2028\u2029", r'"\ufeff"': "\ufeff", r'"\uffff"': "\uffff", r'"\ufdd0"': "\ufdd0",
    r'"\\u0041"': "\\u0041", r'"\\\\n"': "\\\\n", r'"a\u0000b"': "a\0b", r'{"a\u0000b":1}': {"a\0b": 1},
    r'"\u0022\u005c"': '"\\', '"é"': "é", '"€"': "€", '"😀"': "😀", '"\U0010ffff"': "\U0010ffff",
    '"\x7f"': "\x7f", '"\u2028"': "\u2028", '"\ufeff"': "\ufeff", '"/"': "/", "\"'\"": "'",
    '"/* c */"': "/* c */", '"// c"': "// c", '" "': " ", '"[1,2"': "[1,2",
    '"a' + "b" * 10_000 + '"': "a" + "b" * 10_000, '"\U0001d11e"': "𝄞", '"アイウ"': "アイウ",
    '"\u200b"': "\u200b", '"\ue000"': "\ue000", '"e\u0301"': "e\u0301",
    # as deep as may be
    "[" * 33 + "]" * 33: _nested([], 32, lambda inner: [inner]),
    '{"a":' * 32 + "1" + "}" * 32: _nested(1, 32, lambda inner: {"a": inner}),
}  # fmt: skip

TAKEN: dict[str, tuple[bytes, Any]] = {text[:40]: (text.encode(), value) for text, value in _VALUES.items()}
"""What every reader takes (`y_`), and the value."""

LEFT_OPEN: dict[str, tuple[bytes, Any]] = {
    "a float too small to be told from 0": (b"1e-400", 0.0),
    "a negative one": (b"-1e-99999", -0.0),
    "more digits than a float has": (b"0.1000000000000000055511151231257827", 0.1),
    "a float of ten megabytes": (b"0." + b"1" * 10_000_000, 0.1111111111111111),
    "a noncharacter": ('"\ufffe"'.encode(), "\ufffe"),
}
"""What RFC 8259 leaves open (`i_`), and is taken. What is left open and refused stands above: a BOM,
integers beyond 64 bits, floats that overflow, half surrogate pairs, deep nesting, keys that occur twice."""


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of one type, down to the sign of a zero."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)
