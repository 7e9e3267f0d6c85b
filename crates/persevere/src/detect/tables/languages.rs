//! Exceptions that are mistakes in a program.
//!
//! Sources: Python "Built-in exceptions", the JDK's `java.lang`, ECMA-262 section 20.5 and Node's
//! "Errors" page, Go's `runtime`, Rust's
//! `std::panic`, .NET's `System`.

use super::Entry;
use crate::detect::evidence::Rank::{Decisive, Phrase, Status, Vague};
use crate::verdict::Kind::{Invalid, NotFound, Other};

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    // AWS has a code of the same name, which is retried.
    Entry::stop(Decisive, Other, "text.program_error", &["java.util.concurrentmodificationexception"]),
    Entry::stop(Phrase, Other, "text.program_error",
        &["cannot index", "error[e0", "failed to resolve: use of", "could not resolve entry", "systemerror", "panic:", "goroutine 1", "entry in nil map", "all goroutines are asleep", "nullpointerexception", "nullreferenceexception",
          "classcastexception", "classnotfoundexception", "noclassdeffounderror", "nosuchmethoderror", "nosuchfielderror",
          "indexoutofboundsexception", "indexoutofbounds", "arithmeticexception", "nil pointer dereference",
          "invalid memory address", "index out of range", "slice bounds out of range", "divide by zero", "zerodivisionerror", "assertionerror",
          "attributeerror", "nameerror", "indentationerror", "recursionerror", "unboundlocalerror", "importerror", "is not a function",
          "is not iterable", "is not a constructor", "cannot read propert", "cannot read property", "cannot read properties", "cannot set propert",
          "undefined is not", "referenceerror", "maximum call stack", "has no attribute", "object is not callable", "nonetype",
          "is not subscriptable", "takes no arguments", "panicked at", "called `option::unwrap", "called `result::unwrap", "unreachable code",
          "internal compiler error", "undefined method", "undefined local variable", "uncaught typeerror", "fatal error: all goroutines",
          "nomethoderror", "argumentexception", "argumentnullexception", "argumentoutofrangeexception", "invalidcastexception"]),
    Entry::stop(Vague, Other, "text.program_error",
        &["client is closed", "pool is closed", "after shutdown", "was already closed", "is already closed", "cannot schedule new",
          "positional argument", "keyword argument", "stack trace", "undefined reference", "invalidoperationexception"]),
    Entry::stop(Phrase, NotFound, "text.missing_module",
        &["module not found", "module_not_found", "err_module_not_found", "no module named", "modulenotfounderror", "unresolved import",
          "failed to resolve import"]),
    Entry::stop(Status, Invalid, "text.bad_argument",
        &["illegalargumentexception", "valueerror", "keyerror", "indexerror", "rangeerror", "overflowerror", "unicodedecodeerror",
          "unicodeencodeerror", "notimplementederror", "err_invalid_arg_type", "err_invalid_arg_value", "err_out_of_range", "err_invalid_url",
          "err_missing_args", "formatexception"]),
    Entry::stop(Vague, Invalid, "text.bad_argument_word",
        &["typeerror", "illegalstateexception", "argumenterror", "badargument"]),
];
