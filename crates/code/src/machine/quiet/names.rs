//! Which names of the language only compute, and which change something.

/// Functions of the language that only compute, or write to the console.
pub(super) const GLOBALS: [&str; 34] = [
    "Array",
    "BigInt",
    "Boolean",
    "Buffer",
    "Date",
    "Error",
    "Intl",
    "JSON",
    "Map",
    "Math",
    "Number",
    "Object",
    "Promise",
    "RangeError",
    "RegExp",
    "Set",
    "String",
    "Symbol",
    "TextDecoder",
    "TextEncoder",
    "TypeError",
    "URL",
    "URLSearchParams",
    "Uint8Array",
    "WeakMap",
    "console",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "isNaN",
    "parseFloat",
    "parseInt",
    "performance",
    "structuredClone",
];

/// Names of the language that are no functions.
pub(super) const NO_FUNCTIONS: [&str; 6] = [
    "Infinity",
    "NaN",
    "globalThis",
    "process",
    "undefined",
    "window",
];

/// Methods of strings, lists, maps, dates and promises that only compute: on what a function was given or made itself.
pub(super) const METHODS: [&str; 55] = [
    "at",
    "catch",
    "charAt",
    "charCodeAt",
    "concat",
    "endsWith",
    "entries",
    "every",
    "filter",
    "finally",
    "find",
    "findIndex",
    "flat",
    "flatMap",
    "forEach",
    "get",
    "getTime",
    "has",
    "hasOwnProperty",
    "includes",
    "indexOf",
    "join",
    "keys",
    "lastIndexOf",
    "length",
    "localeCompare",
    "map",
    "match",
    "matchAll",
    "normalize",
    "padEnd",
    "padStart",
    "reduce",
    "repeat",
    "replace",
    "replaceAll",
    "search",
    "slice",
    "some",
    "split",
    "startsWith",
    "substr",
    "substring",
    "test",
    "then",
    "toFixed",
    "toISOString",
    "toJSON",
    "toLowerCase",
    "toLocaleString",
    "toString",
    "toUpperCase",
    "trim",
    "valueOf",
    "values",
];

/// Methods that give a new list.
pub(super) const COPYING: [&str; 6] = ["concat", "filter", "flat", "flatMap", "map", "split"];

/// Methods that change what they are called on.
pub(super) const CHANGING: [&str; 8] = [
    "add", "delete", "pop", "push", "reverse", "set", "shift", "sort",
];

/// Functions of `Object` that change their first argument.
pub(super) const CHANGING_FIRST: [&str; 4] = [
    "assign",
    "defineProperties",
    "defineProperty",
    "setPrototypeOf",
];
