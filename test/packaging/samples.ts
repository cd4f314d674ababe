/** Small projects, written as people write them, none of which knows of Debian. */
import type { Files } from './trees.ts';

export const mit = `MIT License

Copyright (c) 2024-2026 Ada Lovelace <ada@example.org>

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND.
`;

const readme = `# Greeter

![build](https://ci.example.org/badge.svg)

Greeter says hello to everybody who is named on its command line, in the
language of **their** choice, and keeps [statistics](docs/statistics.md) of it.

## Installing

Don't: there is a package.
`;

const manual = `.TH GREET 1
.SH NAME
greet \\- say hello
.SH SYNOPSIS
.B greet
NAME
`;

export const python: Files = {
  'pyproject.toml': `[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "Greet_Er"
version = "1.4.0rc2"
description = "A program that greets people."
readme = "README.md"
license = {file = "LICENSE"}
dependencies = ["click>=8", "tomli; python_version < '3.11'", "colorama; sys_platform == 'win32'"]

[project.scripts]
greet-py = "greeter.cli:main"

[project.urls]
Homepage = "https://greeter.example.org/"

[tool.setuptools.packages.find]
where = ["src"]
`,
  'src/greeter/__init__.py': '',
  'src/greeter/cli.py': `import click


@click.command()
@click.argument("name")
def main(name):
    click.echo(f"Hello {name}")
`,
  'tests/test_greeter.py': 'def test_nothing():\n    assert False, "tests are not run"\n',
  'man/greet-py.1': manual,
  'README.md': readme,
  LICENSE: mit,
};

export const go: Files = {
  'go.mod': `module git.example.org/team/greet-go

go 1.21

require example.com/words v1.0.0
`,
  'cmd/greet-go/main.go': `// Command greet-go says hello.
package main

import (
	"fmt"
	"os"

	"example.com/words"
)

func main() {
	fmt.Println(words.Hello, os.Args[1])
}
`,
  'internal/gen/main.go': 'package main\n\nfunc main() { this is not compiled }\n',
  'vendor/modules.txt': `# example.com/words v1.0.0
## explicit; go 1.21
example.com/words
`,
  'vendor/example.com/words/words.go': 'package words\n\nconst Hello = "Hello"\n',
  LICENSE: mit,
  'README.md': readme,
};

export const node: Files = {
  'package.json': JSON.stringify({
    name: '@team/greet-node',
    version: '2.1.0-beta.3',
    description: 'Says whether one version is newer than another',
    type: 'module',
    bin: { 'greet-node': './bin/greet.js' },
    engines: { node: '>=18' },
    dependencies: { semver: '^7.0.0' },
    devDependencies: { typescript: '^5.0.0' },
    scripts: { build: 'tsc', test: 'node --test' },
  }),
  'bin/greet.js': `#!/usr/bin/env node
/* ours */ import semver from 'semver'; import { hello } from '../lib/hello.js';
console.log(hello(process.argv[2]), semver.gt('2.0.0', '1.10.0'));
`,
  'lib/hello.js': 'export const hello = (name) => `Hello ${name}`;\n',
  'test/hello.js': 'throw new Error();\n',
  '.eslintrc.json': '{}\n',
  LICENSE: mit,
};

export const rust: Files = {
  'Cargo.toml': `[package]
name = "greet-rs"
version = "0.3.1"
edition = "2021"
description = "Says hello, memory-safely"

[dependencies]
words = "1"
`,
  'Cargo.lock': `version = 3

[[package]]
name = "greet-rs"
version = "0.3.1"
dependencies = ["words"]

[[package]]
name = "words"
version = "1.0.2"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "0000000000000000000000000000000000000000000000000000000000000000"
`,
  'src/main.rs': `fn main() {
    println!("{} {}", words::HELLO, std::env::args().nth(1).unwrap());
}
`,
  'vendor/words/Cargo.toml': '[package]\nname = "words"\nversion = "1.0.2"\nedition = "2021"\n',
  'vendor/words/src/lib.rs': 'pub const HELLO: &str = "Hello";\n',
  'vendor/words/.cargo-checksum.json':
    '{"files":{},"package":"0000000000000000000000000000000000000000000000000000000000000000"}',
  LICENSE: mit,
};

const cMain = `#include <stdio.h>
#include <zlib.h>

int main(int argc, char **argv)
{
	printf("Hello %s %d\\n", argc > 1 ? argv[1] : "?", zlibVersion()[0] == '1');
	return 0;
}
`;

export const cmake: Files = {
  'CMakeLists.txt': `cmake_minimum_required(VERSION 3.18)
project(GreetCmake VERSION 3.2 DESCRIPTION "The greeter, built by CMake" LANGUAGES C)
include(GNUInstallDirs)
find_package(ZLIB REQUIRED) # find_package(Nothing REQUIRED)
find_package(Doxyfoo)
find_package(PkgConfig REQUIRED)
pkg_check_modules(POPT REQUIRED IMPORTED_TARGET popt>=1.14)
add_library(words SHARED src/words.c)
set_target_properties(words PROPERTIES VERSION 1.0.0 SOVERSION 1)
add_executable(greet-cmake src/main.c)
target_link_libraries(greet-cmake PRIVATE ZLIB::ZLIB PkgConfig::POPT)
install(TARGETS greet-cmake words
  RUNTIME DESTINATION \${CMAKE_INSTALL_BINDIR} LIBRARY DESTINATION \${CMAKE_INSTALL_LIBDIR})
`,
  'src/main.c': cMain,
  'src/words.c': 'const char *hello(void) { return "Hello"; }\n',
  'README.md': readme,
  COPYING: `                    GNU GENERAL PUBLIC LICENSE
                       Version 2, June 1991

 Copyright (C) 1989, 1991 Free Software Foundation, Inc.,
`,
};

export const meson: Files = {
  'meson.build': `project('greet-meson', 'c', version: '0.9', license: 'MIT')
zlib = dependency('zlib', version: '>=1.2')
m = meson.get_compiler('c').find_library('m', required: false)
executable('greet-meson', 'main.c', dependencies: [zlib, m], install: true)
install_man('greet-meson.1')
`,
  'main.c': cMain,
  'greet-meson.1': manual,
  LICENSE: mit,
};

export const autotools: Files = {
  'configure.ac': `AC_INIT([GNU Greet Auto], [1.9.2], [bugs@example.org], [greet-auto], [https://greet.example.org/])
AM_INIT_AUTOMAKE([foreign subdir-objects])
AC_PROG_CC
dnl AC_CHECK_LIB([nothing], [at_all])
AC_CHECK_LIB([z], [zlibVersion], [], [AC_MSG_ERROR([zlib is missing])])
PKG_CHECK_MODULES([POPT], [popt >= 1.14])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
`,
  'Makefile.am': `bin_PROGRAMS = greet-auto
greet_auto_SOURCES = src/main.c
dist_man_MANS = greet-auto.1
`,
  'src/main.c': cMain,
  'greet-auto.1': manual,
  LICENSE: mit,
};

export const make: Files = {
  Makefile: `PREFIX ?= /usr/local
CFLAGS ?= -O0
LDLIBS = -lz -lm

greet-make: main.c
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LDLIBS)

install: greet-make
	install -D -m 755 greet-make $(DESTDIR)$(PREFIX)/bin/greet-make
	install -D -m 644 greet-make.1 $(DESTDIR)$(PREFIX)/share/man/man1/greet-make.1

clean:
	rm -f greet-make
.PHONY: install clean
`,
  'main.c': cMain,
  'greet-make.1': manual,
  LICENSE: mit,
};

export const generic: Files = {
  'bin/greet-any.sh': {
    executable: `#!/usr/bin/env python3
import os, sys
home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
print(open(os.path.join(home, 'data/hello.txt')).read().strip(), sys.argv[1])
`,
  },
  'data/hello.txt': 'Hello\n',
  'data/file with blanks.txt': 'content\n',
  'README.md': readme,
};

/** Debian's own way, with two binary packages, a patch, and an upstream part. */
export const debian: Files = {
  'greet.sh': { executable: '#!/bin/sh\necho "Bonjour $1"\n' },
  'debian/control': `Source: greet-deb
Section: misc
Priority: optional
Maintainer: Ada Lovelace <ada@example.org>
Build-Depends: debhelper-compat (= 13),
# a comment
               zlib1g-dev | libz-dev
Standards-Version: 4.7.2
Rules-Requires-Root: no

Package: greet-deb
Architecture: all
Depends: greet-deb-data (= \${source:Version}), \${misc:Depends}
Description: program that greets
 It greets whoever is named.

Package: greet-deb-data
Architecture: all
Depends: \${misc:Depends}
Description: data of the program that greets
 It is of no use without it.
`,
  'debian/changelog': `greet-deb (2:1.5-3) unstable; urgency=low

  * Greet in French, by a patch.

 -- Ada Lovelace <ada@example.org>  Mon, 05 Jan 2026 10:00:00 +0100
`,
  'debian/copyright': `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 Ada Lovelace
License: public-domain
 Do what you want.
`,
  'debian/rules': { executable: '#!/usr/bin/make -f\n%:\n\tdh $@\n' },
  'debian/source/format': '3.0 (quilt)\n',
  'debian/greet-deb.install': 'greet.sh usr/lib/greet-deb\n',
  'debian/greet-deb.links': 'usr/lib/greet-deb/greet.sh usr/bin/greet-deb\n',
  'debian/greet-deb-data.install': 'data.txt usr/share/greet-deb\n',
  'debian/patches/series': 'hello.patch\n',
  'debian/patches/hello.patch': `Description: greet in English
--- a/greet.sh
+++ b/greet.sh
@@ -1,2 +1,2 @@
 #!/bin/sh
-echo "Bonjour $1"
+echo "Hello $1"
`,
  'data.txt': 'data\n',
};
