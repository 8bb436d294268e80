"""Tests of the check: small crates in a temporary folder, and what it says of them."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent


class Workspace(unittest.TestCase):
    """A copy of the check in a workspace of its own."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        shutil.copytree(FOLDER, self.root / ".ci", ignore=shutil.ignore_patterns("__pycache__", "run"))

    def crate(self, name, files, manifest=""):
        folder = self.root / "crates" / name
        for path, text in {"Cargo.toml": manifest, **{f"src/{path}": text for path, text in files.items()}}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    def check(self, *names):
        done = subprocess.run([self.root / ".ci/acyclic", *names], capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).splitlines()

    def assert_none(self, files):
        self.crate("stm", files)
        code, lines = self.check()
        self.assertEqual((code, len(lines)), (0, 1), lines)
        self.assertTrue(lines[0].endswith("no circle"), lines)

    def assert_circles(self, files, *circles):
        self.crate("stm", files)
        code, lines = self.check()
        found = [line.removeprefix("crates/stm: ") for line in lines if line.startswith("crates/stm: ")]
        self.assertEqual((code, found), (1, list(circles)), lines)
        return lines


class Circles(Workspace):
    def test_two_modules(self):
        files = {
            "lib.rs": "mod a;\nmod b;\n",
            "a.rs": "use crate::b::B;\npub struct A(B);\n",
            "b.rs": "\n\nfn f() { crate::a::g() }\npub struct B;\n",
        }
        lines = self.assert_circles(files, "a -> b -> a")
        self.assertEqual(lines[1:], ["    a -> b: crates/stm/src/a.rs:1", "    b -> a: crates/stm/src/b.rs:3"])

    def test_three_modules_through_super(self):
        files = {
            "lib.rs": "mod x;",
            "x/mod.rs": "mod a; mod b; mod c;",
            "x/a.rs": "use super::b::B;",
            "x/b.rs": "use super::{c::{C, D}};",
            "x/c.rs": "use super::super::x::a;",
        }
        self.assert_circles(files, "x::a -> x::b -> x::c -> x::a")

    def test_a_parent_that_exports_what_uses_it(self):
        files = {"lib.rs": "mod x;", "x.rs": "mod y;\npub use y::Y;\npub struct X;", "x/y.rs": "use super::X;"}
        self.assert_circles(files, "x -> x::y -> x")

    def test_a_path_through_an_export(self):
        files = {
            "lib.rs": "mod a; mod b;\npub use a::A;",
            "a.rs": "use crate::b::B;",
            "b.rs": "use crate::A;",
        }
        self.assert_circles(files, "a -> b -> crate -> a")

    def test_each_module_of_several_circles_is_named(self):
        files = {
            "lib.rs": "mod a; mod b; mod c; mod d; mod e;",
            "a.rs": "use crate::b;",
            "b.rs": "use crate::{a, c::C};",
            "c.rs": "use super::b::{self as other};",
            "d.rs": "use crate::{e};",
            "e.rs": "type D = crate::d::D;",
        }
        self.assert_circles(files, "a -> b -> a", "c -> b -> c", "d -> e -> d")

    def test_aliases_and_all_names(self):
        files = {
            "lib.rs": "mod x; mod a; mod b;",
            "x.rs": "pub mod y;",
            "x/y.rs": "use crate::{a};",
            "a.rs": "use crate::x as other;\nfn f() { other::y::g() }",
            "b.rs": "use super::*;\nfn f() { x::y::g() }",
        }
        self.assert_circles(files, "a -> x::y -> a")

    def test_macros_attributes_and_inline_modules(self):
        files = {
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": 'fn f() { println!("{}", crate::b::B) }\n',
            "b.rs": "#[derive(crate::c::C)]\nstruct B;",
            "c.rs": "mod inner { fn f() { super::super::a::g() } }",
        }
        self.assert_circles(files, "a -> b -> c -> a")

    def test_macro_definitions(self):
        files = {
            "lib.rs": "mod a; mod b;",
            "a.rs": "macro_rules! m { ($($t:tt)*) => { $crate::b::f($($t)*) } }\npub(crate) use {m};",
            "b.rs": "use crate::a::m;",
        }
        self.assert_circles(files, "a -> b -> a")


class NoCircles(Workspace):
    def test_declaring_a_child_is_no_use(self):
        self.assert_none({"lib.rs": "mod x;", "x/mod.rs": "mod y; pub struct X;", "x/y.rs": "use super::X;"})

    def test_code_for_tests(self):
        tests = """
            #[cfg(test)] use crate::b::{B};
            #[cfg(all(test, not(any(loom, shuttle))))] fn f() { crate::b::f() }
            #[cfg(test)] #[allow(dead_code)] pub(crate) const C: [crate::b::B; 1] = [crate::b::B { n: 0 }];
            struct A { #[cfg(test)] b: Map<crate::b::B, crate::b::B>, c: u8 }
            #[cfg(test)] mod other;
            #[cfg(test)] mod tests { use crate::b::B; mod inner { use crate::b::B; } }
        """
        other = "#![cfg(test)]\nuse crate::b::B;"
        files = {
            "lib.rs": "mod a; mod b; mod c;",
            "a.rs": tests,
            "a/other.rs": "use crate::b::B;",
            "b.rs": "use crate::{a::A, c::C};",
            "c.rs": other,
        }
        self.assert_none(files)

    def test_code_after_code_for_tests_counts(self):
        files = {
            "lib.rs": "mod a; mod b;",
            "a.rs": "#[cfg(test)] use crate::c::{C};\nuse crate::b::B;",
            "b.rs": "#[cfg(not(test))] use crate::a::A;",
        }
        self.assert_circles(files, "a -> b -> a")

    def test_strings_and_comments(self):
        text = r"""
            // crate::b::B
            /* crate::b::B /* crate::b::B */ crate::b::B */
            //! use crate::b::B;
            fn f<'a>(c: char) { (c == '"' || c == '\'', "\" crate::b::f()", r#"" crate::b::f() "#, b"crate::b::f()") }
        """
        self.assert_none({"lib.rs": "mod a; mod b;", "a.rs": text, "b.rs": "use crate::a::A;"})

    def test_other_crates_and_visibility(self):
        text = "use ::b::B; use std::{b::{self}}; pub(in super::b) fn f() { g.collect::<b::B>(); x.b::<u8>() }"
        self.assert_none({"lib.rs": "mod a; mod b;", "a.rs": text, "b.rs": "use crate::a::A;"})


class Layers(Workspace):
    def test_downwards(self):
        self.crate("stm", {"lib.rs": ""})
        manifest = '[dependencies]\ntandem-stm.workspace = true\nrevm = "1"\n'
        self.crate("evm", {"lib.rs": ""}, manifest)
        self.crate("workload", {"lib.rs": ""}, '[dev-dependencies]\nrevm = "1"\n')
        self.assertEqual(self.check()[0], 0)

    def test_upwards_and_sideways(self):
        self.crate("stm", {"lib.rs": ""}, "[target.'cfg(unix)'.dev-dependencies]\ntandem-evm.workspace = true\n")
        self.crate("state", {"lib.rs": ""}, '[dependencies]\nengine = { package = "tandem-stm" }\n')
        code, lines = self.check()
        self.assertEqual(code, 1)
        expected = [f"crates/{a} depends on crates/{b}, which is not of a lower layer" for a, b in [("state", "stm"), ("stm", "evm")]]
        self.assertEqual(lines, expected)

    def test_revm_elsewhere(self):
        self.crate("chain", {"lib.rs": ""}, "[dependencies]\nrevm.workspace = true\n")
        self.assertEqual(self.check(), (1, ["crates/chain depends on revm, which only crates/evm does"]))

    def test_a_crate_without_a_layer(self):
        self.crate("new", {"lib.rs": ""})
        self.assertEqual(self.check(), (1, ["crates/new has no layer in .ci/acyclic"]))


class Usage(Workspace):
    def test_crates_by_name(self):
        self.crate("stm", {"lib.rs": "mod a; use a::A;", "a.rs": "use crate::B;"})
        self.crate("state", {"lib.rs": ""})
        self.assertEqual(self.check("state"), (0, ["1 crates, 1 modules, 0 arrows, no circle"]))
        self.assertEqual(self.check("stm")[0], 1)

    def test_bad_usage(self):
        self.crate("stm", {"lib.rs": ""})
        self.assertEqual(self.check("unknown")[0], 2)
        self.assertEqual(self.check("--unknown")[0], 2)

    def test_a_file_that_is_missing(self):
        self.crate("stm", {"lib.rs": "mod a;"})
        self.assertEqual(self.check()[0], 2)
